/** A cluster of the lab: a registry and nodes, each on its own host, set up with the commands that an operator types. */
import { writeFileSync } from 'node:fs'
import { formatSocketAddress } from '../../pkg/net/index.ts'
import { holdCommand } from './holder.ts'
import type { Host } from './host.ts'
import { DAEMON_UID, type Lab, REGISTRY_UID } from './lab.ts'
import { NSMCTL } from './programs.ts'
import { Service } from './service.ts'
import { type Outcome, run } from './shell.ts'
import { until } from './until.ts'

const NODE_PORT = 5001
const REGISTRY_PORT = 5002

export interface Registry {
  readonly domain: string
  readonly host: Host
  readonly address: string
  readonly service: Service
  readonly adminSocket: string
}

export interface Node {
  readonly name: string
  readonly domain: string
  readonly host: Host
  readonly address: string
  readonly holder: Service
  readonly nsmd: Service
  /** Where workloads of this node reach it. */
  readonly nsmSocket: string
  readonly workloadSocket: string
}

/** nsmctl as root on the host of a registry or a node. */
export function nsmctl(where: Registry | Node, ...args: readonly string[]): Promise<Outcome> {
  const env = 'adminSocket' in where ? { NSM_ADMIN_SOCKET: where.adminSocket } : workloadEnvironment(where)
  return where.host.tryRun([NSMCTL, ...args], { env })
}

export function workloadEnvironment(node: Node): Record<string, string> {
  return { NSM_CONNECT_TO: `unix://${node.nsmSocket}`, SPIFFE_ENDPOINT_SOCKET: `unix://${node.workloadSocket}` }
}

export interface RegistryOptions {
  /** Of its host, on the internet of the lab. */
  readonly number: number
  /** What it is configured with besides. */
  readonly environment?: Readonly<Record<string, string>>
}

export async function startRegistry(lab: Lab, domain: string, options: RegistryOptions): Promise<Registry> {
  const { number, environment } = options
  const name = `${domain}-registry`
  const { host, address } = await lab.publicHost(name, number)
  const state = lab.folder(name, { uid: REGISTRY_UID, mode: 0o700 })
  const adminSocket = `${state}/admin.sock`
  const env = {
    NSM_DOMAIN: domain,
    NSM_LISTEN_ON: `tcp://${at(address, REGISTRY_PORT)}`,
    NSM_ADVERTISE: at(address, REGISTRY_PORT),
    NSM_ADMIN_SOCKET: adminSocket,
    NSM_STATE_DIR: state,
    ...environment,
  }
  const service = new Service(name, () =>
    host.start(lab.program('nsm-registry', REGISTRY_UID), `${lab.directory}/${name}.log`, { env }),
  )
  lab.defer(() => service.close())
  const registry = { domain, host, address, service, adminSocket }
  await until(`${name} to answer`, async () => (await nsmctl(registry, 'domain', 'list')).code === 0)
  return registry
}

export interface NodeOptions {
  /** Of the node in its cluster, from 1. */
  readonly index: number
  /** Of its host, on the internet of the lab. */
  readonly number: number
  /** What its nsmd is configured with besides. */
  readonly environment?: Readonly<Record<string, string>>
  /** Path of the Workload API that gives the node and its workloads their identities; by default the node does. */
  readonly agentSocket?: string
}

export async function startNode(lab: Lab, registry: Registry, options: NodeOptions): Promise<Node> {
  const { index, number, agentSocket } = options
  const { domain } = registry
  const name = `${domain}-${index}`
  const { host, address } = await lab.publicHost(name, number)
  await podNetwork(host, index)
  const sockets = lab.folder(`${name}/sockets`)
  // For the holder and nsmd alone: whoever can enter it is believed to be one of them.
  const inner = lab.folder(`${name}/inner`, { gid: DAEMON_UID, mode: 0o770 })
  const node = {
    name,
    domain,
    host,
    address,
    nsmSocket: `${sockets}/nsm.io.sock`,
    workloadSocket: agentSocket ?? `${sockets}/agent.sock`,
  }
  const command = holdCommand({
    control: `${inner}/control.sock`,
    dial: `${inner}/dial.sock`,
    deliver: `${inner}/deliver.sock`,
    daemonUid: DAEMON_UID,
    listen: { nsm: node.nsmSocket, workload: `${sockets}/agent.sock` },
  })
  const holder = new Service(`${name}-dataplane`, () => host.start(command, `${lab.directory}/${name}-dataplane.log`))
  lab.defer(() => holder.close())
  const state = lab.folder(`${name}/state`, { uid: DAEMON_UID, mode: 0o700 })
  const identity =
    agentSocket === undefined
      ? { NSM_JOIN_TOKEN_FILE: await inviteNode(registry, name, state) }
      : { SPIFFE_ENDPOINT_SOCKET: `unix://${agentSocket}` }
  const env = { ...nodeEnvironment(registry, { ...node, inner, state }), ...identity, ...options.environment }
  const nsmd = new Service(name, () =>
    host.start(lab.program('nsmd', DAEMON_UID), `${lab.directory}/${name}.log`, { env }),
  )
  lab.defer(() => nsmd.close())
  return { ...node, holder, nsmd }
}

/** Resolves when the node says that nothing is wrong. */
export async function nodeReady(node: Node): Promise<void> {
  let status: Outcome | undefined
  const isReady = async () => {
    status = await nsmctl(node, 'status')
    return status.code === 0
  }
  await until(`${node.name} to be ready`, isReady).catch((cause: unknown) => {
    throw new Error(`${node.name} is not ready:\n${status?.stdout}${status?.stderr}`, { cause })
  })
}

/** Pods of a node get addresses of the same range in every cluster: nothing outside the node can reach them. */
async function podNetwork(host: Host, index: number): Promise<void> {
  await host.ip('link add pods0 type bridge', `address add 10.244.${index}.1/24 dev pods0`, 'link set pods0 up')
}

/** @returns the path of the file with its token */
async function inviteNode(registry: Registry, name: string, state: string): Promise<string> {
  const invited = await nsmctl(registry, 'node', 'invite', name)
  if (invited.code !== 0) throw new Error(`nsmctl node invite ${name}: ${invited.stderr}`)
  const tokenFile = `${state}/join-token`
  writeFileSync(tokenFile, invited.stdout.trim(), { mode: 0o600 })
  await run(['chown', `${DAEMON_UID}`, tokenFile])
  return tokenFile
}

function nodeEnvironment(
  registry: Registry,
  node: { name: string; address: string; inner: string; state: string },
): Record<string, string> {
  return {
    NSM_NAME: node.name,
    NSM_DOMAIN: registry.domain,
    NSM_LISTEN_ON: `tcp://${at(node.address, NODE_PORT)}`,
    NSM_PUBLIC_URL: `tcp://${at(node.address, NODE_PORT)}`,
    NSM_REGISTRY_URL: `tcp://${at(registry.address, REGISTRY_PORT)}`,
    NSM_TUNNEL_IP: node.address,
    NSM_STATE_DIR: node.state,
    NSM_DATAPLANE_CONTROL: `${node.inner}/control.sock`,
    NSM_DELIVER_SOCKET: `${node.inner}/deliver.sock`,
    NSM_DIAL_SOCKET: `${node.inner}/dial.sock`,
  }
}

function at(ip: string, port: number): string {
  return formatSocketAddress({ ip, port })
}
