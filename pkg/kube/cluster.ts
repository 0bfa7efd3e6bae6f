/** Where the API server is and how to speak to it: from within a pod, or by a kubeconfig. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { NsmError } from '../base/index.ts'
import type { Cluster, Credentials } from './transport.ts'

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface InCluster {
  /** KUBERNETES_SERVICE_HOST */
  readonly host: string
  /** KUBERNETES_SERVICE_PORT */
  readonly port: string
  /** Where the kubelet mounts the token of the pod's service account. */
  readonly directory?: string
}

/** The cluster whose pod this process runs in. */
export function inCluster({ host, port, directory = SERVICE_ACCOUNT }: InCluster): Cluster {
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async credentials() {
      const [authorities, token] = await Promise.all([
        readFile(`${directory}/ca.crt`, 'utf8'),
        readFile(`${directory}/token`, 'utf8'),
      ])
      return { authorities, token: token.trim() }
    },
  }
}

interface Kubeconfig {
  readonly 'current-context'?: string
  readonly contexts?: readonly { readonly name: string; readonly context: Context }[]
  readonly clusters?: readonly { readonly name: string; readonly cluster: ClusterEntry }[]
  readonly users?: readonly { readonly name: string; readonly user: User }[]
}

interface Context {
  readonly cluster: string
  readonly user: string
  readonly namespace?: string
}

interface ClusterEntry {
  readonly server: string
  readonly 'tls-server-name'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
}

interface User {
  readonly token?: string
  readonly tokenFile?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
  readonly exec?: unknown
  readonly 'auth-provider'?: unknown
}

/**
 * The current context of a kubeconfig, with a token or a client certificate.
 * @throws {NsmError} `invalid_argument` for what nsmesh does not support
 */
export async function readKubeconfig(path: string): Promise<Cluster> {
  const config: Kubeconfig = parse(await readFile(path, 'utf8')) ?? {}
  const { cluster: clusterName, user: userName } = named(path, config.contexts, config['current-context']).context
  const { cluster } = named(path, config.clusters, clusterName)
  const { user } = named(path, config.users, userName)
  if (cluster['insecure-skip-tls-verify'] === true) throw unsupported(path, 'insecure-skip-tls-verify')
  if (user.exec !== undefined) throw unsupported(path, 'exec')
  if (user['auth-provider'] !== undefined) throw unsupported(path, 'auth-provider')
  const serverName = cluster['tls-server-name']
  return {
    server: cluster.server,
    ...(serverName === undefined ? {} : { serverName }),
    credentials: () => readCredentials({ folder: dirname(path), cluster, user }),
  }
}

interface Source {
  readonly folder: string
  readonly cluster: ClusterEntry
  readonly user: User
}

async function readCredentials({ folder, cluster, user }: Source): Promise<Credentials> {
  const file = async (data: string | undefined, path: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
    return path === undefined ? undefined : await readFile(resolve(folder, path), 'utf8')
  }
  const [authorities = '', certificate, key, tokenOfFile] = await Promise.all([
    file(cluster['certificate-authority-data'], cluster['certificate-authority']),
    file(user['client-certificate-data'], user['client-certificate']),
    file(user['client-key-data'], user['client-key']),
    file(undefined, user.tokenFile),
  ])
  const token = tokenOfFile?.trim() ?? user.token
  return {
    authorities,
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
  }
}

function named<T extends { readonly name: string }>(
  path: string,
  entries: readonly T[] = [],
  name: string | undefined = '',
): T {
  const found = entries.find((entry) => entry.name === name)
  if (found !== undefined) return found
  throw new NsmError('invalid_argument', 'Cannot use the kubeconfig: it refers to an entry that it does not have', {
    fields: { path, name },
  })
}

function unsupported(path: string, field: string): NsmError {
  return new NsmError('invalid_argument', 'Cannot use the kubeconfig: it has a field that nsmesh does not support', {
    fields: { path, field },
    next: 'use a token or a client certificate',
  })
}
