/** A workload of the lab: a pod's network namespace behind a node, with the client or the endpoint beside its program. */
import type { ChildProcess } from 'node:child_process'
import { type Node, workloadEnvironment } from './cluster.ts'
import { cable, type Host } from './host.ts'
import type { Lab } from './lab.ts'
import { until } from './until.ts'

export const WORKLOAD_UID = 1000

export interface Workload {
  readonly name: string
  readonly node: Node
  readonly host: Host
  /** The program of the pod: a wire ends with the last process of its namespace, not with its client. */
  readonly program: ChildProcess
}

let podNumber = 1

export async function startWorkload(lab: Lab, node: Node, name: string): Promise<Workload> {
  const host = await lab.host(name)
  const link = `p${podNumber}`
  podNumber += 1
  await cable({ host, link: 'eth0' }, { host: node.host, link })
  await node.host.ip(`link set ${link} master pods0`)
  const index = node.name.slice(node.name.lastIndexOf('-') + 1)
  await host.ip(`address add 10.244.${index}.${podNumber}/24 dev eth0`, `route add default via 10.244.${index}.1`)
  const program = host.start(['sleep', 'infinity'], `${lab.directory}/${name}-program.log`)
  return { name, node, host, program }
}

/** Asks for network services, as the sidecar of a pod does; `urls` as in the pod's annotation. */
export async function requestServices(lab: Lab, workload: Workload, urls: string): Promise<ChildProcess> {
  const env = { ...workloadEnvironment(workload.node), NSM_NAME: workload.name, NSM_NETWORK_SERVICES: urls }
  const child = workload.host.start(lab.program('nsm-client', WORKLOAD_UID), `${lab.directory}/${workload.name}.log`, {
    env,
  })
  const names = urls.split(',').map((url) => new URL(url).pathname.slice(1))
  for (const name of names) await interfaceUp(lab, workload, name, child)
  return child
}

export interface ServedService {
  readonly service: string
  /** Of which its wires get their addresses. */
  readonly cidr: string
  /** What its nsm-endpoint is configured with besides. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Offers a network service whose endpoint is this workload. */
export function serveService(lab: Lab, workload: Workload, served: ServedService): ChildProcess {
  const { service, cidr, environment } = served
  const env = {
    ...workloadEnvironment(workload.node),
    NSM_NAME: workload.name,
    NSM_SERVICE_NAMES: service,
    NSM_CIDR_PREFIX: cidr,
    NSM_LISTEN_DIR: lab.folder(`${workload.node.name}/endpoints/${workload.name}`, { uid: WORKLOAD_UID }),
    ...environment,
  }
  return workload.host.start(lab.program('nsm-endpoint', WORKLOAD_UID), `${lab.directory}/${workload.name}.log`, {
    env,
  })
}

async function interfaceUp(lab: Lab, workload: Workload, name: string, child: ChildProcess): Promise<void> {
  await until(`interface ${name} of ${workload.name} (its log is ${lab.directory}/${workload.name}.log)`, async () => {
    if (child.exitCode !== null) throw new Error(`nsm-client of ${workload.name} ended with status ${child.exitCode}`)
    const { stdout } = await workload.host.tryRun(['ip', '-brief', 'address', 'show', 'dev', name])
    return /\d\/\d/.test(stdout)
  })
}
