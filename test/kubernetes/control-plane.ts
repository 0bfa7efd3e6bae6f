/** The control plane of a cluster, on a host of its own: etcd, API server, controllers and scheduler. */
import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import { ApiServer } from './api-server.ts'
import { Component } from './component.ts'
import { machineOf } from './machine.ts'
import { CLUSTER_CIDR, SERVICE_CIDR } from './node-config.ts'
import { kubernetesProgram } from './programs.ts'

const API_PORT = 6443
const ETCD_PORT = 2379

export interface ControlPlane {
  readonly host: Host
  readonly api: ApiServer
  readonly controllers: Component
  readonly scheduler: Component
}

/** @param number of its host, on the internet of the lab */
export async function startControlPlane(lab: Lab, name: string, number: number): Promise<ControlPlane> {
  const { host, address } = await lab.publicHost(`${name}-control`, number)
  const machine = machineOf(host)
  const api = await ApiServer.startAt(lab, name, { machine, address, port: API_PORT, etcdPort: ETCD_PORT })
  const start = async (program: Controller, flags: readonly string[]) => {
    const kubeconfig = await api.kubeconfig({ name: `system:${program}` })
    const fixed = [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1']
    const command = [kubernetesProgram(program), ...fixed, ...flags]
    const component = new Component(program, () => machine.launch(command, `${lab.directory}/${name}-${program}.log`))
    component.start()
    return component
  }
  const controllers = await start('kube-controller-manager', controllerFlags(api))
  return { host, api, controllers, scheduler: await start('kube-scheduler', []) }
}

type Controller = 'kube-controller-manager' | 'kube-scheduler'

function controllerFlags(api: ApiServer): readonly string[] {
  return [
    `--root-ca-file=${api.file('authority.pem')}`,
    `--service-account-private-key-file=${api.file('token-key.pem')}`,
    '--use-service-account-credentials',
    ...['--allocate-node-cidrs', `--cluster-cidr=${CLUSTER_CIDR}`, `--service-cluster-ip-range=${SERVICE_CIDR}`],
  ]
}
