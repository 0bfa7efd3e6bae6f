/** Deployments of the tests: a server of one file, and its readers. */
import { BOX_IMAGE } from './images.ts'

export const SERVED_AT = '172.16.2.0'
const PORT = 8080

const RESTRICTED = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

interface DeploymentOptions {
  readonly replicas?: number
  /** Of its pods. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * Serves a random file over HTTP, as the network service `files`. Every replica has the same addresses. It is as a
 * namespace with PodSecurity `restricted` wants it.
 */
export function fileServer(megabytes: number, options: DeploymentOptions = {}): object {
  const make = `dd if=/dev/urandom of=/tmp/file bs=1M count=${megabytes}`
  const command = ['sh', '-c', `${make} && exec httpd -f -p ${PORT} -h /tmp`]
  const readinessProbe = { tcpSocket: { port: PORT }, periodSeconds: 1 }
  const annotations = { 'networkservicemesh.io/serve': `files?prefix=${SERVED_AT}/31` }
  return deployment('files', { command, readinessProbe, securityContext: RESTRICTED }, { annotations, ...options })
}

/** Has a network and no wire. It may ping, for which busybox wants a right. */
export function reader(options: DeploymentOptions = {}): object {
  return deployment('reader', { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } } }, options)
}

/** Says the SHA-256 of the file, in a pod that has a wire to the server. busybox' own time limit ends it by SIGSEGV. */
export const FETCH = `set -o pipefail; timeout 60 wget -q -O - http://${SERVED_AT}:${PORT}/file | sha256sum | cut -c1-64`
/** Likewise, at the server. */
export const HASH = 'sha256sum /tmp/file | cut -c1-64'

function deployment(name: string, container: object, { replicas = 1, annotations = {} }: DeploymentOptions): object {
  const labels = { app: name }
  const box = {
    name: 'box',
    image: BOX_IMAGE,
    ...container,
  }
  const spec = {
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    containers: [box],
  }
  const template = { metadata: { labels, annotations }, spec }
  const selector = { matchLabels: labels }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { replicas, selector, template } }
}
