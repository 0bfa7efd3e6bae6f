/** nsmesh on clusters of the tests, installed as its users do it: the image, the manifests, and kubectl from a laptop. */
import { delimiter } from 'node:path'
import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import { BUILD, ROOT } from '../lab/programs.ts'
import { type Outcome, run } from '../lab/shell.ts'
import { KubernetesCluster } from './cluster.ts'
import { kubernetesFolder } from './programs.ts'

const IMAGE_MS = 300_000
const ROLLOUT_MS = 120_000
/** Of every node, as the manifests have it, for the registry. */
const NODE_PORT = 30502
const PARTS = ['deployment/nsm-registry', 'daemonset/nsmd']
export const OVERLAY = `${ROOT}/manifests/overlays/default`

/** @returns the path of the image as an archive */
export async function buildImage(lab: Lab): Promise<string> {
  const folder = lab.diskFolder('image')
  const env = { NSM_BUILD_DIR: BUILD }
  await run([process.execPath, `${ROOT}/hack/image.ts`, '--folder', folder], { env, timeoutMs: IMAGE_MS })
  return `${folder}/nsmesh.tar`
}

/** A cluster of two nodes, named west, which have the image. */
export async function clusterWithImage(lab: Lab): Promise<KubernetesCluster> {
  const image = buildImage(lab)
  const cluster = await KubernetesCluster.start(lab, { name: 'west', number: 10, nodeCount: 2 })
  await cluster.loadImage(await image)
  return cluster
}

/** Likewise with nsmesh, by the administrator of the cluster. */
export async function clusterWithNsmesh(lab: Lab): Promise<KubernetesCluster> {
  const cluster = await clusterWithImage(lab)
  const inSystem = (...command: readonly string[]) => cluster.kubectl('-n', 'nsm-system', ...command)
  await cluster.kubectl('apply', '-f', `${ROOT}/manifests/base/namespace.yaml`)
  await inSystem('create', 'configmap', 'nsmesh', '--from-literal=domain=west')
  await cluster.kubectl('apply', '-k', OVERLAY)
  for (const what of PARTS) await inSystem('rollout', 'status', what, '--timeout=90s')
  return cluster
}

/** Somebody's machine, with a kubeconfig of the clusters as admin of each, and `kubectl nsm`. The first one is current. */
export class Laptop {
  readonly host: Host
  readonly #env: Readonly<Record<string, string>>

  private constructor(host: Host, env: Readonly<Record<string, string>>) {
    this.host = host
    this.#env = env
  }

  static async start(lab: Lab, number: number, clusters: readonly KubernetesCluster[]): Promise<Laptop> {
    const { host } = await lab.publicHost('laptop', number)
    const kubeconfigs = await Promise.all(clusters.map(({ api }) => api.kubeconfig()))
    const folders = [kubernetesFolder(), `${ROOT}/hack`, '/usr/sbin:/usr/bin:/sbin:/bin']
    const env = {
      PATH: folders.join(delimiter),
      KUBECONFIG: kubeconfigs.join(delimiter),
      KUBECACHEDIR: lab.folder('kubectl'),
    }
    return new Laptop(host, env)
  }

  /** What a shell needs for it. */
  get environment(): string {
    return Object.entries(this.#env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')
  }

  /** As somebody types it. */
  tryShell(line: string): Promise<Outcome> {
    return this.host.tryRun(['bash', '-o', 'pipefail', '-c', line], { env: this.#env, timeoutMs: ROLLOUT_MS })
  }

  async shell(line: string): Promise<string> {
    const { code, stdout, stderr } = await this.tryShell(line)
    if (code !== 0) throw new Error(`${line}: exit status ${code}\n${stderr}${stdout}`.trimEnd())
    return stdout
  }
}

/** Installs nsmesh, whose image the nodes have, as the domain of the name of its cluster. */
export async function installNsmesh(laptop: Laptop, { name, nodes }: KubernetesCluster): Promise<void> {
  const addresses = nodes.map(({ address }) => `${address}:${NODE_PORT}`).join(',')
  const kubectl = `kubectl --context ${name}`
  const inNamespace = `${kubectl} -n nsm-system`
  await laptop.shell(`${kubectl} apply -f ${ROOT}/manifests/base/namespace.yaml`)
  await laptop.shell(
    `${inNamespace} create configmap nsmesh --from-literal=domain=${name} --from-literal=addresses=${addresses}`,
  )
  await laptop.shell(`${kubectl} apply -k ${OVERLAY}`)
  for (const what of PARTS) await laptop.shell(`${inNamespace} rollout status ${what} --timeout=${ROLLOUT_MS / 1_000}s`)
}
