/** A whole cluster of Kubernetes: a control plane on a host of its own, and nodes. All of it is the real thing. */
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { ApiServer } from './api-server.ts'
import { Component } from './component.ts'
import { testImages } from './images.ts'
import { type Machine, machineOf } from './machine.ts'
import { KubernetesNode } from './node.ts'
import { CLUSTER_CIDR, SERVICE_CIDR } from './node-config.ts'
import { kubernetesProgram } from './programs.ts'

const API_PORT = 6443
const ETCD_PORT = 2379
const READY_MS = 120_000

export interface ClusterOptions {
  readonly name: string
  /** Of the host of its control plane, on the internet of the lab; its nodes have the numbers that follow. */
  readonly number: number
  readonly nodeCount?: number
}

export class KubernetesCluster {
  readonly name: string
  readonly api: ApiServer
  readonly nodes: readonly KubernetesNode[]
  readonly controllers: Component
  readonly scheduler: Component

  private constructor(
    name: string,
    api: ApiServer,
    programs: readonly [Component, Component],
    nodes: readonly KubernetesNode[],
  ) {
    this.name = name
    this.api = api
    this.nodes = nodes
    ;[this.controllers, this.scheduler] = programs
  }

  /** Resolves when every node is ready and has the images of the tests. */
  static async start(lab: Lab, { name, number, nodeCount = 1 }: ClusterOptions): Promise<KubernetesCluster> {
    const { host, address } = await lab.publicHost(`${name}-control`, number)
    const machine = machineOf(host)
    const api = await ApiServer.startAt(lab, `${name}-control`, {
      machine,
      address,
      port: API_PORT,
      etcdPort: ETCD_PORT,
    })
    const programs = [
      await startControllers(lab, name, machine, api),
      await startScheduler(lab, name, machine, api),
    ] as const
    const indices = Array.from({ length: nodeCount }, (_, index) => index + 1)
    const start = (index: number) =>
      KubernetesNode.start(lab, { name: `${name}-${index}`, number: number + index, api })
    const nodes = await Promise.all(indices.map(start))
    const cluster = new KubernetesCluster(name, api, programs, nodes)
    const images = await testImages(lab)
    await Promise.all(nodes.flatMap((node) => images.map((image) => node.loadImage(image))))
    await cluster.#connectNodes([host, ...nodes.map((node) => node.machine.host)])
    await cluster.nodesReady()
    return cluster
  }

  kubectl(...command: readonly string[]): Promise<string> {
    return this.api.kubectl(command)
  }

  /** Creates or changes objects, each as its kind has it. */
  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    await this.api.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) })
  }

  async nodesReady(): Promise<void> {
    await this.kubectl('wait', 'node', '--all', '--for=condition=Ready', `--timeout=${READY_MS / 1_000}s`)
  }

  /** Tells each node the addresses that the cluster has allotted to its pods, and everybody the way to them. */
  async #connectNodes(hosts: readonly { ip(...commands: readonly string[]): Promise<void> }[]): Promise<void> {
    for (const node of this.nodes) {
      const podCidr = await this.#podCidr(node)
      await node.connect(podCidr)
      const others = hosts.filter((host) => host !== node.machine.host)
      await Promise.all(others.map((host) => host.ip(`route add ${podCidr} via ${node.address}`)))
    }
  }

  async #podCidr(node: KubernetesNode): Promise<string> {
    let podCidr = ''
    await until(
      `the pods' addresses of ${node.name}`,
      async () => {
        podCidr = (await this.api.tryKubectl(['get', 'node', node.name, '-o', 'jsonpath={.spec.podCIDR}'])).stdout
        return podCidr !== ''
      },
      READY_MS,
    )
    return podCidr
  }
}

async function startControllers(lab: Lab, name: string, machine: Machine, api: ApiServer): Promise<Component> {
  const command = [
    kubernetesProgram('kube-controller-manager'),
    `--kubeconfig=${await api.kubeconfig({ name: 'system:kube-controller-manager' })}`,
    ...[
      `--root-ca-file=${api.file('authority.pem')}`,
      `--service-account-private-key-file=${api.file('token-key.pem')}`,
    ],
    ...['--allocate-node-cidrs', `--cluster-cidr=${CLUSTER_CIDR}`, `--service-cluster-ip-range=${SERVICE_CIDR}`],
    ...['--use-service-account-credentials', '--leader-elect=false', '--bind-address=127.0.0.1'],
  ]
  return startComponent(lab, machine, { name: `${name}-kube-controller-manager`, command })
}

async function startScheduler(lab: Lab, name: string, machine: Machine, api: ApiServer): Promise<Component> {
  const kubeconfig = await api.kubeconfig({ name: 'system:kube-scheduler' })
  const flags = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1']
  return startComponent(lab, machine, {
    name: `${name}-kube-scheduler`,
    command: [kubernetesProgram('kube-scheduler'), ...flags],
  })
}

interface Program {
  readonly name: string
  readonly command: readonly string[]
}

function startComponent(lab: Lab, machine: Machine, { name, command }: Program): Component {
  const component = new Component(name, () => machine.launch(command, `${lab.directory}/${name}.log`))
  component.start()
  return component
}
