/**
 * What local processes can do at the sockets of a node: what the kernel says of a process counts, not its uid alone, and
 * not how many namespaces it makes.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workloadProto } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { Channel, clientOf } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'
import { type Attack, attacks } from './attacks.ts'

const sandbox = new Sandbox()
let node: SandboxNode
let operator: Workload
let wire: string

beforeAll(async () => {
  node = await (await sandbox.domain('west')).node('n1')
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  wire = (await (await node.workload()).request('kernel://files/nsm-1')).id
  operator = await node.operator()
}, 60_000)
afterAll(() => sandbox.close())

/** Root where root is nobody special. */
const places: readonly { readonly who: string; readonly what: { readonly pod?: string; readonly account: string } }[] =
  [
    { who: 'root in a pod', what: { pod: '0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f', account: 'pod/0b4a2c7e' } },
    { who: 'root in a container', what: { account: 'unit/system.slice/docker-1.scope' } },
    { who: 'a uid that is root in a user namespace', what: { account: 'uid/1000' } },
  ]

const root = (what: object) => node.process({ uid: 0, namespace: sandbox.namespace(), ...what })
const world = async () => (await operator.node().wires()).wires.map(({ id, state }) => ({ id, state }))
const denied = { code: 'permission_denied', text: /no sufficient privileges/ } as const

attacks('administration of a node', () =>
  places.flatMap(({ who, what }): Attack[] => [
    { name: `${who} asks for its state`, run: async () => (await root(what)).node().status(), denied, world },
    { name: `${who} lists its wires`, run: async () => (await root(what)).node().wires(), denied, world },
    { name: `${who} closes a wire`, run: async () => (await root(what)).node().close(wire), denied, world },
  ]),
)

describe('one user', () => {
  it('with 64 connections from each of 36 user namespaces does not keep a pod from its identity', async () => {
    const places = await Promise.all(
      Array.from({ length: 36 }, () => node.holder.place({ uid: 1000, namespace: sandbox.namespace() })),
    )
    const sockets = places.flatMap(({ workloadUrl }) =>
      Array.from({ length: 64 }, () => connect(workloadUrl.replace('unix://', '')).on('error', () => {})),
    )
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
    await standing(() => sockets.filter(({ destroyed }) => destroyed).length)
    const pod = { uid: 1000, namespace: sandbox.namespace(), pod: '0b4a2c7e', account: 'pod/0b4a2c7e' }
    const startedMs = performance.now()
    const honest = await node.process(pod)
    expect(honest.identity.current().svid.spiffeId).toBe('spiffe://west/node/n1/uid/1000')
    expect(performance.now() - startedMs).toBeLessThan(1000)
    for (const socket of sockets) socket.destroy()
  })

  it('with a range of uids gets no more than 64 identities', async () => {
    const uids = Array.from({ length: 64 }, (_, i) => 100_000 + i)
    const as = (uid: number) => node.process({ uid, namespace: sandbox.namespace(), account: 'uid/1001' })
    await Promise.all(uids.map(as))
    const refused = await node.holder.place({ uid: 200_000, namespace: sandbox.namespace(), account: 'uid/1001' })
    await expect(firstIdentity(refused.workloadUrl)).rejects.toMatchObject({ code: 'resource_exhausted' })
  })
})

/** Waits until some connections have been refused, and no more are. */
async function standing(refused: () => number): Promise<void> {
  for (let last = -1; last !== refused() || last === 0; await pause(300)) last = refused()
}

async function firstIdentity(url: string): Promise<unknown> {
  const channel = new Channel(url, { security: 'plaintext', clock: systemClock })
  const headers = { 'workload.spiffe.io': 'true' }
  const workloadApi = clientOf(workloadProto.SpiffeWorkloadAPIService, channel, headers)
  const signal = AbortSignal.timeout(5000)
  try {
    return await workloadApi.fetchX509Svid({}, { signal })[Symbol.asyncIterator]().next()
  } finally {
    channel.close()
  }
}
