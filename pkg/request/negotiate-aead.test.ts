import { describe, expect, it } from 'vitest'
import type { Connection, ConnectionRequest, Mechanism, Outgoing } from '../api/index.ts'
import type { AeadName, WireguardEnd, WireIntent } from '../mechanism/index.ts'
import type { Hop } from './index.ts'
import { firstRequest, refreshOf, TestEndpoint, TestNode } from './testing/test-node.ts'

const AES: AeadName = 'aes256gcm'
const CHACHA: AeadName = 'chacha20poly1305'

type Parameters = Mechanism['parameters']

interface Pair {
  readonly near?: readonly AeadName[]
  readonly far?: readonly AeadName[]
  /** What becomes of the offer's parameters, and of the answer's, on the way. */
  readonly offer?: (parameters: Parameters) => Parameters
  readonly answer?: (parameters: Parameters) => Parameters
}

function pair({ near: nearAeads, far: farAeads, offer = keep, answer = keep }: Pair) {
  const endpoint = new TestEndpoint()
  const far = new TestNode({ name: 'n2', ...given(farAeads), connect: () => endpoint.hop() })
  const toFar = far.hop('spiffe://west/node/n1')
  const near = new TestNode({ clock: far.clock, ...given(nearAeads), connect: () => changed(toFar, offer, answer) })
  far.serve('files', 'nse-a')
  near.serve('files', 'nse-a', far.self.publicUrl)
  return { near, far }
}

function given(aeads: readonly AeadName[] | undefined) {
  return aeads === undefined ? {} : { aeads }
}

const keep = (parameters: Parameters) => parameters

function changed(hop: Hop, offer: typeof keep, answer: typeof keep): Hop {
  const through = (mechanism: Mechanism, change: typeof keep) => ({
    ...mechanism,
    parameters: change(mechanism.parameters),
  })
  const request = async (asked: ConnectionRequest, call: Outgoing) => {
    const mechanismPreferences = asked.mechanismPreferences.map((each) => through(each, offer))
    const answered = await hop.client.request({ ...asked, mechanismPreferences }, call)
    const { mechanism } = answered
    return mechanism === undefined ? answered : { ...answered, mechanism: through(mechanism, answer) }
  }
  return { ...hop, client: { ...hop.client, request } }
}

function aeadsOf(...nodes: readonly TestNode[]): readonly string[] {
  const ends = nodes.flatMap((node) =>
    [...node.intents.values()].flatMap(({ client, server }: WireIntent) => [client, server]),
  )
  return ends.filter((end): end is WireguardEnd => end.kind === 'wireguard').map(({ aead }) => aead)
}

describe('the AEAD of a wire between two nodes', () => {
  it.each([
    ['both have AES and want it first', [AES, CHACHA], [AES, CHACHA], AES],
    ['the one who asks prefers ChaCha', [CHACHA, AES], [AES, CHACHA], CHACHA],
    ['the one who answers prefers ChaCha, and has AES', [AES, CHACHA], [CHACHA, AES], AES],
    ['only the one who asks has AES', [AES, CHACHA], [CHACHA], CHACHA],
    ['only the one who answers has AES', [CHACHA], [AES, CHACHA], CHACHA],
  ] as const)('is the same at both ends where %s', async (_, nearAeads, farAeads, taken) => {
    const { near, far } = pair({ near: nearAeads, far: farAeads })
    const first = await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near, far)).toEqual([taken, taken])
    await near.service.request(refreshOf(first), near.call())
    expect(aeadsOf(near, far)).toEqual([taken, taken])
  })

  it.each([
    ['are none', undefined],
    ['are unknown', 'rot13,aegis256'],
    ['are no list', ',,;\0'],
  ])('is WireGuard’s own where the AEADs of the offer %s', async (_, aeads) => {
    const { near, far } = pair({ offer: (parameters) => replace(parameters, 'aeads', aeads) })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near, far)).toEqual([CHACHA, CHACHA])
  })

  it('is the first that is known where a newer node offers more', async () => {
    const { near, far } = pair({ offer: (parameters) => ({ ...parameters, aeads: `aegis256,${parameters['aeads']}` }) })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near, far)).toEqual([AES, AES])
  })

  it('is not chosen by the one who asks: what it says was taken is passed over', async () => {
    const offer = (parameters: Parameters) => ({ ...parameters, aeads: CHACHA, aead: AES })
    const { near, far } = pair({ offer })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near, far)).toEqual([CHACHA, CHACHA])
    const strange = pair({ offer: (parameters) => ({ ...parameters, aead: 'rot13' }) })
    await strange.near.service.request(firstRequest('files'), strange.near.call())
    expect(aeadsOf(strange.near, strange.far)).toEqual([AES, AES])
  })

  it.each(['near', 'far'] as const)('is agreed anew on a refresh when the %s node may use less', async (which) => {
    const may = { near: [AES, CHACHA], far: [AES, CHACHA] }
    const { near, far } = pair(may)
    const first = await near.service.request(firstRequest('files'), near.call())
    may[which].shift()
    await near.service.request(refreshOf(first), near.call())
    expect(aeadsOf(near, far)).toEqual([CHACHA, CHACHA])
  })

  it.each([
    ['was not offered', [CHACHA], AES],
    ['nobody knows', [AES, CHACHA], 'rot13'],
  ] as const)('is refused where the answer takes one that %s, and no half of a wire is made', async (_, near, aead) => {
    const nodes = pair({ near, answer: (parameters) => ({ ...parameters, aead }) })
    const request = nodes.near.service.request(firstRequest('files'), nodes.near.call())
    await expect(request).rejects.toMatchObject({ code: 'failed_precondition', fields: { aead } })
    expect([nodes.near.intents.size, nodes.far.intents.size]).toEqual([0, 0])
  })

  it('is WireGuard’s own where the answer names none', async () => {
    const { near } = pair({ answer: (parameters) => replace(parameters, 'aead', undefined) })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near)).toEqual([CHACHA])
  })
})

describe('a peer that is no node of nsmesh', () => {
  const foreign = (parameters: Parameters) => replace(parameters, 'src_node_public_key', undefined)

  it('gets exact WireGuard when it asks, whatever it says of AEADs', async () => {
    const { near, far } = pair({ offer: (parameters) => ({ ...foreign(parameters), aeads: AES, aead: AES }) })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(far)).toEqual([CHACHA])
    const [{ mechanism }] = [...far.table.all()].map(({ connection }) => connection) as [Connection]
    expect(mechanism?.parameters['aead']).toBe(CHACHA)
  })

  it('gets exact WireGuard when it answers, whatever it says of AEADs', async () => {
    const answer = (parameters: Parameters) => ({ ...replace(parameters, 'dst_node_public_key', undefined), aead: AES })
    const { near } = pair({ answer })
    await near.service.request(firstRequest('files'), near.call())
    expect(aeadsOf(near)).toEqual([CHACHA])
  })
})

/** With another value, or without the parameter. */
function replace(parameters: Parameters, name: string, value: string | undefined): Parameters {
  const { [name]: _, ...others } = parameters
  return value === undefined ? others : { ...others, [name]: value }
}
