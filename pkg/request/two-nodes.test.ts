import { describe, expect, it } from 'vitest'
import type { ConnectionRequest, Payload } from '../api/index.ts'
import { NsmError, qualifyName } from '../base/index.ts'
import { publicKeyOf, type WireguardEnd } from '../mechanism/index.ts'
import type { Exports } from '../policy/index.ts'
import type { Hop } from './index.ts'
import { firstRequest, refreshOf, TestEndpoint, TestNode, TOKEN_MS } from './testing/test-node.ts'

interface Pair {
  readonly farDomain?: string
  readonly exports?: Exports
  /** What the far node's answers look like on the way back. */
  readonly tamper?: (hop: Hop) => Hop
  readonly plaintext?: { readonly vxlanPort?: number; readonly payload: Payload }
}

function pair({
  farDomain = 'west',
  exports = new Map(),
  tamper = (hop) => hop,
  plaintext = { payload: 'IP' },
}: Pair = {}) {
  const endpoint = new TestEndpoint()
  const far = new TestNode({ name: 'n2', domain: farDomain, exports, ...plaintext, connect: () => endpoint.hop() })
  const near = new TestNode({ clock: far.clock, ...plaintext, connect: () => tamper(far.hop('spiffe://west/node/n1')) })
  const domain = farDomain === 'west' ? '' : farDomain
  far.serve('files', 'nse-a')
  near.serve(qualifyName('files', domain), qualifyName('nse-a', domain), far.self.publicUrl)
  return { near, far, endpoint }
}

function ends(near: TestNode, far: TestNode) {
  const [ours, theirs] = [[...near.intents.values()][0], [...far.intents.values()][0]]
  return { ours: ours?.server as WireguardEnd, theirs: theirs?.client as WireguardEnd }
}

describe('a request for a service on another node', () => {
  it('makes two halves of a wire whose keys, addresses and AEAD fit', async () => {
    const { near, far } = pair()
    await near.service.request(firstRequest('files'), near.call())
    const { ours, theirs } = ends(near, far)
    expect(ours.peerResponderKey).toBe(far.self.tunnel.nodeKey.publicKey)
    expect(theirs.peerResponderKey).toBe(near.self.tunnel.nodeKey.publicKey)
    expect(ours.peerInitiatorKey).toBe(publicKeyOf(theirs.privateKey))
    expect(theirs.peerInitiatorKey).toBe(publicKeyOf(ours.privateKey))
    expect([ours.aead, theirs.aead]).toEqual(['aes256gcm', 'aes256gcm'])
    expect([ours.probeMessages, theirs.probeMessages]).toEqual([true, true])
    expect(ours.privateKey).not.toBe(near.self.tunnel.nodeKey.privateKey)
  })

  it('agrees on the MTU of the tunnel everywhere', async () => {
    const { near, far, endpoint } = pair()
    const answer = await near.service.request(firstRequest('files'), near.call())
    const mtus = [...near.intents.values(), ...far.intents.values()].map(({ mtuBytes }) => mtuBytes)
    expect([...mtus, answer.context.mtuBytes, endpoint.asked[0]?.connection.context.mtuBytes]).toEqual([
      1440, 1440, 1440, 1440,
    ])
  })

  it.each(['tcp://[2001:db8::2]:5001', 'tcp://192.0.2.77:5001'])(
    'tunnels to the address that the far node says, whatever it is called at: %s',
    async (url) => {
      const { near, far } = pair()
      near.serve('files', 'nse-a', url)
      const answer = await near.service.request(firstRequest('files'), near.call())
      const { ours } = ends(near, far)
      expect([ours.peer.ip, answer.context.mtuBytes]).toEqual([far.self.tunnel.ip, 1440])
    },
  )

  it('keeps keys and ids on a refresh, also after either node has restarted', async () => {
    const { near, far } = pair()
    const first = await near.service.request(firstRequest('files'), near.call())
    const again = await near.service.request(refreshOf(first), near.call())
    expect(again).toEqual(first)
    expect(near.established[1]).toEqual(near.established[0])
    expect(far.established[1]).toEqual(far.established[0])
  })

  it('ends on both nodes when the client closes, and when it falls silent', async () => {
    const { near, far, endpoint } = pair()
    const first = await near.service.request(firstRequest('files'), near.call())
    await near.service.close(first, near.call())
    expect([near.intents.size, far.intents.size, endpoint.live.size]).toEqual([0, 0, 0])
    await near.service.request(firstRequest('files'), near.call())
    await far.clock.advance(TOKEN_MS + 1)
    expect([near.intents.size, far.intents.size, endpoint.live.size]).toEqual([0, 0, 0])
  })

  it.each(['request', 'close'] as const)(
    'leaves nothing at a node that dies over a %s, once it is back',
    async (what) => {
      let isAway = false
      const tamper = (hop: Hop): Hop => ({
        ...hop,
        client: {
          async request(request, options) {
            const answer = await hop.client.request(request, options)
            isAway = what === 'request'
            if (isAway) throw new NsmError('unavailable', 'Cannot complete the call: the connection broke')
            return answer
          },
          async close(connection, options) {
            if (isAway) throw new NsmError('unavailable', 'Cannot complete the call: nobody answers')
            await hop.client.close(connection, options)
          },
        },
      })
      const { near, far, endpoint } = pair({ tamper })
      const request = near.service.request(firstRequest('files'), near.call())
      if (what === 'request') {
        await expect(request).rejects.toMatchObject({ code: 'unavailable' })
      } else {
        const wire = await request
        isAway = true
        await near.service.close(wire, near.call())
      }
      expect([near.intents.size, far.intents.size, endpoint.live.size]).toEqual([0, 1, 1])
      isAway = false
      await near.clock.advance(1_000)
      expect([near.intents.size, far.intents.size, endpoint.live.size]).toEqual([0, 0, 0])
    },
  )

  it('is not sent on to a third node', async () => {
    const { near, far } = pair()
    far.locals.clear()
    far.serve('files', 'nse-a', 'tcp://192.0.2.3:5001')
    const request = near.service.request(firstRequest('files'), near.call())
    await expect(request).rejects.toMatchObject({ code: 'not_found' })
  })

  it('uses the node key for a peer that has only one key', async () => {
    const asked: string[] = []
    const tamper = (hop: Hop): Hop => ({
      ...hop,
      client: {
        ...hop.client,
        request: async (request, call) => {
          const answer = await hop.client.request(request, call)
          asked.push(request.mechanismPreferences[0]?.parameters['src_public_key'] ?? '')
          const { dst_node_public_key: _ours, aead: _aead, ...parameters } = answer.mechanism?.parameters ?? {}
          return { ...answer, mechanism: { cls: 'REMOTE', type: 'WIREGUARD', parameters } }
        },
      },
    })
    const { near, far } = pair({ tamper })
    await near.service.request(firstRequest('files'), near.call())
    const { ours } = ends(near, far)
    expect(asked.at(-1)).toBe(near.self.tunnel.nodeKey.publicKey)
    expect(ours).toMatchObject({
      privateKey: near.self.tunnel.nodeKey.privateKey,
      aead: 'chacha20poly1305',
      probeMessages: false,
    })
    expect(ours.peerResponderKey).toBe(ours.peerInitiatorKey)
  })
})

describe('a request for a service of another domain', () => {
  const exports = new Map([['west', new Set(['files'])]])

  it('shows each domain its own names', async () => {
    const { near, far, endpoint } = pair({ farDomain: 'east', exports })
    const answer = await near.service.request(firstRequest('files@east'), near.call())
    expect(answer).toMatchObject({ networkService: 'files@east', endpointName: 'nse-a@east' })
    expect([...far.table.all()][0]?.connection).toMatchObject({ networkService: 'files', endpointName: 'nse-a' })
    expect(endpoint.asked[0]?.connection).toMatchObject({ networkService: 'files', endpointName: 'nse-a' })
    const again = await near.service.request(refreshOf(answer), near.call())
    expect(again).toEqual(answer)
  })

  it('is refused when the service is not exported, and leaves nothing', async () => {
    const { near, far } = pair({ farDomain: 'east' })
    const request = near.service.request(firstRequest('files@east'), near.call())
    await expect(request).rejects.toMatchObject({ code: 'permission_denied', message: /not exported/ })
    expect([near.intents.size, far.intents.size]).toEqual([0, 0])
  })

  it('reaches no endpoint of another service through an exported one', async () => {
    const { near, far } = pair({ farDomain: 'east', exports })
    far.serve('secret', 'nse-s')
    near.serve('files@east', 'nse-s@east', far.self.publicUrl)
    near.endpoints.delete('nse-a@east')
    const request = near.service.request(firstRequest('files@east'), near.call())
    await expect(request).rejects.toMatchObject({ code: 'not_found', message: /does not serve/ })
    expect(far.intents.size).toBe(0)
  })
})

describe('a request for Ethernet frames from another node', () => {
  const [ethernet, plaintext] = [{ payload: 'ETHERNET' }, { payload: 'ETHERNET', vxlanPort: 4789 }] as const

  it.each([ethernet, plaintext])('goes inside WireGuard between nodes of ours: %j', async (options) => {
    const { near, far, endpoint } = pair({ plaintext: options })
    const first = await near.service.request(firstRequest('files'), near.call())
    const { ours, theirs } = ends(near, far)
    expect([ours.kind, theirs.kind]).toEqual(['wireguard', 'wireguard'])
    expect(ours.peerInitiatorKey).toBe(publicKeyOf(theirs.privateKey))
    const intents = [...near.intents.values(), ...far.intents.values()]
    expect(intents.map(({ payload, mtuBytes }) => [payload, mtuBytes])).toEqual([
      ['ETHERNET', 1420],
      ['ETHERNET', 1420],
    ])
    expect([first.context.mtuBytes, endpoint.asked[0]?.connection.context.mtuBytes]).toEqual([1420, 1420])
    await near.service.request(refreshOf(first), near.call())
    expect([near.established[1], far.established[1]]).toEqual([near.established[0], far.established[0]])
  })

  it('goes by VXLAN to a foreign node where the operator allows plaintext, under one VNI that stays', async () => {
    const { near, far } = pair({ plaintext, tamper: foreign })
    const first = await near.service.request(firstRequest('files'), near.call())
    const [ours, theirs] = [[...near.intents.values()][0]?.server, [...far.intents.values()][0]?.client]
    expect(ours).toMatchObject({ kind: 'vxlan', peer: { port: 4789 } })
    expect(theirs).toMatchObject({ kind: 'vxlan', vni: ours?.kind === 'vxlan' ? ours.vni : -1 })
    expect(first.context.mtuBytes).toBe(1446)
    await near.service.request(refreshOf(first), near.call())
    expect(near.established[1]).toEqual(near.established[0])
  })

  it('is refused with what to do by a foreign node where he does not, and leaves nothing', async () => {
    const { near, far } = pair({ plaintext: ethernet, tamper: foreign })
    const request = near.service.request(firstRequest('files'), near.call())
    await expect(request).rejects.toMatchObject({ code: 'invalid_argument', next: expect.stringMatching(/VXLAN/) })
    expect([near.intents.size, far.intents.size]).toEqual([0, 0])
  })

  it('is refused where the answer takes IP packets after all, and leaves nothing', async () => {
    const tamper = answering(({ payload: _, ...parameters }) => parameters)
    const { near, far } = pair({ plaintext: ethernet, tamper })
    const request = near.service.request(firstRequest('files'), near.call())
    await expect(request).rejects.toMatchObject({
      code: 'failed_precondition',
      next: expect.stringMatching(/NSM_VXLAN_PORT/),
    })
    expect([near.intents.size, far.intents.size]).toEqual([0, 0])
  })
})

describe('a request for IP packets', () => {
  it('is refused where the answer takes Ethernet frames, and leaves nothing', async () => {
    const { near, far } = pair({ tamper: answering((parameters) => ({ ...parameters, payload: 'ETHERNET' })) })
    const request = near.service.request(firstRequest('files'), near.call())
    await expect(request).rejects.toMatchObject({ code: 'invalid_argument', next: expect.stringMatching(/payloads/) })
    expect([near.intents.size, far.intents.size]).toEqual([0, 0])
  })
})

type Parameters = Readonly<Record<string, string>>

/** A node that knows only what NSM v1 says: of our parameters it understands none, and offers none. */
function foreign(hop: Hop): Hop {
  const strip = ({ payloads: _, ...parameters }: Parameters): Parameters => parameters
  return requesting(hop, (request) => ({
    ...request,
    mechanismPreferences: request.mechanismPreferences.map((each) => ({ ...each, parameters: strip(each.parameters) })),
  }))
}

function requesting(hop: Hop, change: (request: ConnectionRequest) => ConnectionRequest): Hop {
  return { ...hop, client: { ...hop.client, request: (request, call) => hop.client.request(change(request), call) } }
}

function answering(change: (parameters: Parameters) => Record<string, string>): (hop: Hop) => Hop {
  return (hop) => ({
    ...hop,
    client: {
      ...hop.client,
      request: async (request, call) => {
        const answer = await hop.client.request(request, call)
        const { mechanism } = answer
        if (mechanism === undefined) return answer
        return { ...answer, mechanism: { ...mechanism, parameters: change(mechanism.parameters) } }
      },
    },
  })
}
