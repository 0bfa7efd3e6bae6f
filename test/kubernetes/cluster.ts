/** A whole cluster of Kubernetes: a control plane on a host of its own, and nodes. All of it is the real thing. */
import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import type { ApiServer } from './api-server.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { testImages } from './images.ts'
import { KubernetesNode } from './node.ts'

const READY_MS = 120_000

export interface ClusterOptions {
  readonly name: string
  /** Of the host of its control plane, on the internet of the lab; its nodes have the numbers that follow. */
  readonly number: number
  readonly nodeCount?: number
}

export class KubernetesCluster {
  readonly name: string
  readonly control: ControlPlane
  /** They are called west-1, west-2 and so on. */
  readonly nodes: readonly KubernetesNode[]

  private constructor(name: string, control: ControlPlane, nodes: readonly KubernetesNode[]) {
    this.name = name
    this.control = control
    this.nodes = nodes
  }

  /** Resolves when every node is ready and has the images of the tests. */
  static async start(lab: Lab, { name, number, nodeCount = 1 }: ClusterOptions): Promise<KubernetesCluster> {
    const control = await startControlPlane(lab, name, number)
    const start = (_: unknown, index: number) =>
      KubernetesNode.start(lab, { name: `${name}-${index + 1}`, number: number + index + 1, api: control.api })
    const cluster = new KubernetesCluster(name, control, await Promise.all(Array.from({ length: nodeCount }, start)))
    for (const image of await testImages(lab)) await cluster.loadImage(image)
    await cluster.#connectNodes()
    await cluster.nodesReady()
    return cluster
  }

  get api(): ApiServer {
    return this.control.api
  }

  /** As its admin. */
  kubectl(...command: readonly string[]): Promise<string> {
    return this.api.kubectl(command)
  }

  /** Creates or changes objects. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    await this.api.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
  }

  /** @param archive the path of an archive of an OCI image layout */
  async loadImage(archive: string): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.loadImage(archive)))
  }

  async nodesReady(): Promise<void> {
    await this.kubectl('wait', 'node', '--all', '--for=condition=Ready', `--timeout=${READY_MS / 1_000}s`)
  }

  /** Tells each node the addresses that the cluster has allotted to its pods, and everybody the way to them. */
  async #connectNodes(): Promise<void> {
    const hosts: readonly Host[] = [this.control.host, ...this.nodes.map((node) => node.machine.host)]
    for (const node of this.nodes) {
      const podCidr = await this.#podCidr(node)
      await node.connect(podCidr)
      const others = hosts.filter((host) => host !== node.machine.host)
      await Promise.all(others.map((host) => host.ip(`route add ${podCidr} via ${node.address}`)))
    }
  }

  async #podCidr({ name }: KubernetesNode): Promise<string> {
    let podCidr = ''
    const isAllotted = async () => {
      podCidr = (await this.api.tryKubectl(['get', 'node', name, '-o', 'jsonpath={.spec.podCIDR}'])).stdout
      return podCidr !== ''
    }
    await until(`addresses for the pods of ${name}`, isAllotted, READY_MS)
    return podCidr
  }
}
