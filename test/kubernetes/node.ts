/** A node: containerd, kubelet and kube-proxy on a machine of their own. */
import { readFileSync } from 'node:fs'
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import type { ApiServer } from './api-server.ts'
import type { User } from './certificates.ts'
import { Component } from './component.ts'
import {
  AUTHORITY_FILE,
  CLUSTER_CIDR,
  CNI_FILE,
  COMMANDS,
  CONTAINERD_FILE,
  conflist,
  containerdConfig,
  KUBELET_FILE,
  KUBELET_KUBECONFIG,
  kubeletConfig,
  PROXY_FILE,
  PROXY_KUBECONFIG,
  proxyConfig,
} from './node-config.ts'
import { NodeMachine } from './node-machine.ts'
import { kubernetesFolder, kubernetesProgram } from './programs.ts'

const START_MS = 60_000

export interface NodeSpec {
  readonly name: string
  /** Of its host, on the internet of the lab. */
  readonly number: number
  readonly api: ApiServer
}

export class KubernetesNode {
  readonly name: string
  readonly address: string
  readonly machine: NodeMachine
  readonly containerd: Component
  readonly kubelet: Component
  readonly proxy: Component
  readonly #api: ApiServer

  private constructor(lab: Lab, spec: NodeSpec, address: string, machine: NodeMachine) {
    const { name, api } = spec
    this.name = name
    this.address = address
    this.machine = machine
    this.#api = api
    const env = { PATH: `${kubernetesFolder()}:/usr/sbin:/usr/bin:/sbin:/bin` }
    const component = (program: string, command: readonly string[]) =>
      new Component(`${program} of ${name}`, () =>
        machine.launch(command, `${lab.directory}/${name}-${program}.log`, { env }),
      )
    this.containerd = component('containerd', COMMANDS.containerd())
    this.kubelet = component('kubelet', COMMANDS.kubelet(name, address))
    this.proxy = component('kube-proxy', COMMANDS['kube-proxy'](name))
  }

  /** Its pods can start once {@link connect} has been told of their addresses. */
  static async start(lab: Lab, spec: NodeSpec): Promise<KubernetesNode> {
    const { host, address } = await lab.publicHost(spec.name, spec.number)
    await host.ip('route add default dev eth0') // without one, a node could not ask for what a Service stands for
    const machine = await NodeMachine.create(lab, host, spec.name)
    const node = new KubernetesNode(lab, spec, address, machine)
    await node.#configure()
    await node.startPrograms()
    return node
  }

  /** Those that do not run, each when what it needs is there: a kubelet ends at once without its runtime. */
  async startPrograms(): Promise<void> {
    this.containerd.start()
    await until(this.containerd.name, async () => (await this.#tryCtr('version')).code === 0, START_MS)
    this.kubelet.start()
    this.proxy.start()
  }

  /** The network of its pods, as the cluster has allotted it. */
  async connect(podCidr: string): Promise<void> {
    this.machine.write(CNI_FILE, conflist(podCidr))
    const leaving = `ip saddr ${CLUSTER_CIDR} ip daddr != ${CLUSTER_CIDR} oifname eth0`
    const rules = `add table ip pods
      add chain ip pods leaving { type nat hook postrouting priority srcnat; }
      add rule ip pods leaving ${leaving} masquerade`
    await this.machine.run(['nft', '-f', '-'], { input: rules })
  }

  /** @param archive the path of an OCI image layout in a tar file */
  async loadImage(archive: string): Promise<void> {
    const { code, stderr } = await this.#tryCtr('--namespace', 'k8s.io', 'images', 'import', archive)
    if (code !== 0) throw new Error(`${this.name} cannot import ${archive}: ${stderr}`)
  }

  #tryCtr(...command: readonly string[]) {
    return this.machine.tryRun([kubernetesProgram('ctr'), ...command])
  }

  async #configure(): Promise<void> {
    const { name, address, machine } = this
    const kubelet = { name: `system:node:${name}`, groups: ['system:nodes'] }
    machine.write(AUTHORITY_FILE, this.#api.authority.certificate)
    machine.write(CONTAINERD_FILE, containerdConfig())
    machine.write(KUBELET_FILE, kubeletConfig(address))
    machine.write(PROXY_FILE, proxyConfig(address))
    machine.write(KUBELET_KUBECONFIG, await this.#kubeconfig(kubelet), 0o600)
    machine.write(PROXY_KUBECONFIG, await this.#kubeconfig({ name: 'system:kube-proxy' }), 0o600)
  }

  async #kubeconfig(user: User): Promise<string> {
    return readFileSync(await this.#api.kubeconfig(user), 'utf8')
  }
}
