import { describe, expect, it } from 'vitest'
import { nodeV1, type Peer } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { withoutPolicy } from '../policy/index.ts'
import { TestPolicies } from '../policy/testing/index.ts'
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
  const authorize = administratorsOnly(administrators([0]), withoutPolicy)

  it.each(Object.values(nodeV1.NodeService).map(({ path }) => path))('keeps %s to administrators', (path) => {
    expect(() => authorize(peer(4711), path)).toThrow('no sufficient privileges')
    expect(() => authorize(peer(0), path)).not.toThrow()
  })

  it('asks the policy, which may take a method from root and give one to a user', () => {
    const policies = new TestPolicies()
    const decide = administratorsOnly(administrators([0]), policies)
    const { listWires, closeWire } = nodeV1.NodeService
    policies.change(`rules:
      - {name: look, effect: allow, actions: [administer], when: "operation == 'ListWires' && client.uid == '7'"}
      - {name: keep, effect: deny, actions: [administer], when: operation == 'CloseWire'}`)
    expect(() => decide(peer(4711), listWires.path)).not.toThrow()
    expect(() => decide(peer(4711), closeWire.path)).toThrow('no sufficient privileges')
    expect(() => decide(peer(0), closeWire.path)).toThrow('no sufficient privileges')
    const inContainer = { ...peer(4711), attestation: attestationOf({ uid: 4711 }) }
    expect(() => decide(inContainer, listWires.path)).toThrow('no sufficient privileges')
  })

  it('has no say in what every workload may call', () => {
    expect(() => authorize(peer(4711), '/networkservice.NetworkService/Request')).not.toThrow()
  })
})
