import { describe, expect, it } from 'vitest'
import { nodeV1, type Peer } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { administrators, administratorsOnly } from './index.ts'

function peer(uid: number | undefined): Peer {
  return {
    spiffeId: 'spiffe://west/node/n1/uid/7',
    chain: [],
    attestation: uid === undefined ? undefined : attestationOf({ uid, isNodesOwn: true }),
  }
}

describe('administrators', () => {
  it.each([
    [0, true],
    [process.getuid?.(), true],
    [4711, false],
    [undefined, false],
  ])('the kernel names uid %s: %s', (uid, expected) => {
    expect(administrators([0])(peer(uid))).toBe(expected)
  })

  it('are nobody in a container, whatever their uid there', () => {
    expect(administrators([0])({ ...peer(0), attestation: attestationOf({ uid: 0 }) })).toBe(false)
  })
})

describe('administratorsOnly', () => {
  const authorize = administratorsOnly(administrators([0]))

  it.each(Object.values(nodeV1.NodeService).map(({ path }) => path))('keeps %s to administrators', (path) => {
    expect(() => authorize(peer(4711), path)).toThrow('no sufficient privileges')
    expect(() => authorize(peer(0), path)).not.toThrow()
  })

  it('has no say in what every workload may call', () => {
    expect(() => authorize(peer(4711), '/networkservice.NetworkService/Request')).not.toThrow()
  })
})
