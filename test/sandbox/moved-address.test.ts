/** A node whose address for wires has changed in its configuration: its neighbours hear it, and its wires go on. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KeptWire } from '../../pkg/client/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxNode } from './sandbox.ts'

const sandbox = new Sandbox()
let near: SandboxNode
let far: SandboxNode
let wire: KeptWire

beforeAll(async () => {
  const west = await sandbox.domain('west')
  near = await west.node('n1')
  far = await west.node('n2')
  await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  wire = (await near.workload()).keep('kernel://files/nsm-1')
  await wire.up
})
afterAll(() => sandbox.close())

/** The UDP port to which this node sends the packets of its only wire. */
function peerPortAt(node: SandboxNode): number | undefined {
  const tunnel = [...node.engine.ports.values()].find((port) => port.kind === 'wireguard')
  return tunnel?.kind === 'wireguard' ? tunnel.peer.port : undefined
}

it.each([
  ['the endpoint', () => [far, near] as const, '51821'],
  ['the client', () => [near, far] as const, '51822'],
])(
  'that of %s: its neighbour sends to the new one within two seconds, and the wire is the same',
  async (_, at, port) => {
    const [moved, neighbour] = at()
    const before = wire.state
    if (!('connection' in before)) throw new Error(`the wire is ${before.at}`)
    const keys = neighbour.engine.ports
    const sessions = [...keys.values()].map((each) => each.kind === 'wireguard' && each.privateKey)
    await moved.stop()
    await moved.start({ NSM_TUNNEL_PORT: port, NSM_TUNNEL_LISTEN_IP: '0.0.0.0' })
    expect(moved.engine.underlays.get('wireguard')?.listen).toEqual({ ip: '0.0.0.0', port: Number(port) })
    await until('the neighbour to send there', () => peerPortAt(neighbour) === Number(port), 2_000)
    await until('the wire to be up', () => wire.state.at === 'up', 2_000)
    const { state } = wire
    if (!('connection' in state)) throw new Error(`the wire is ${state.at}`)
    expect([state.connection.id, state.connection.context]).toEqual([before.connection.id, before.connection.context])
    expect([...keys.values()].map((each) => each.kind === 'wireguard' && each.privateKey)).toEqual(sessions)
  },
)
