import { expect, test } from 'vitest'
import type { Call, NetworkServiceServer } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import { TokenMinter, verifyPathTokens } from '../identity/index.ts'
import { InProcess } from './in-process.ts'
import { connection, newAuthority, newSource, soon } from './testing/rpc-fixture.ts'

async function parties() {
  const clock = new FakeClock()
  const authority = await newAuthority('east', clock)
  const [pod, node] = [await newSource(authority, 'ns/shop/sa/web'), await newSource(authority, 'node/n1')]
  const calls: Call[] = []
  const server: NetworkServiceServer = {
    async request(request, call) {
      calls.push(call)
      return request.connection
    },
    async close(_connection, call) {
      calls.push(call)
    },
  }
  const revoked = new Set<string>()
  const caller = new InProcess({
    caller: async () => pod,
    callee: async () => node,
    attestation: attestationOf({ pod: 'uid-1' }),
    isRevoked: (spiffeId) => revoked.has(spiffeId),
    minter: new TokenMinter(clock),
    clock,
  })
  return { client: caller.networkService(server), calls, revoked, clock, node }
}

const request = { connection, mechanismPreferences: [] }

test('a call in this process has its caller, what the kernel would say, and a token for its connection', async () => {
  const { client, calls, clock, node } = await parties()
  await client.request(request, soon())
  const [{ peer, token } = expect.fail('no call')] = calls
  expect(peer).toMatchObject({ spiffeId: 'spiffe://east/ns/shop/sa/web', attestation: { pod: 'uid-1' } })
  const segments = [{ id: connection.id, token: token?.jwt ?? '' }]
  const { bundles, svid } = node.current()
  const check = { segments, peerIndex: 0, peer, bundles, nowMs: clock.nowMs(), unsigned: 'never' as const }
  expect(verifyPathTokens({ ...check, service: 'db', audience: svid.spiffeId })).toHaveLength(1)
  expect(() => verifyPathTokens({ ...check, service: 'files' })).toThrow('another network service')
})

test('a caller of this process is refused when its identity is revoked or has expired', async () => {
  const { client, calls, revoked, clock } = await parties()
  revoked.add('spiffe://east/ns/shop/sa/web')
  await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unauthenticated' })
  await expect(client.close(connection, soon())).rejects.toMatchObject({ code: 'unauthenticated' })
  revoked.clear()
  await clock.advance(25 * 3_600_000)
  await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(calls).toEqual([])
})
