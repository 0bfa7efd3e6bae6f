/**
 * The conformance suite of all platforms, run on the fake and on the real kernel. A world is a platform with two empty
 * namespaces, plus operations that stand for other users of the machine.
 */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { addressRules } from './conformance/address-rules.ts'
import { bystanderRules } from './conformance/bystander-rules.ts'
import { linkRules } from './conformance/link-rules.ts'
import { namespaceRules } from './conformance/namespace-rules.ts'
import { neighbourRules } from './conformance/neighbour-rules.ts'
import { routeRules } from './conformance/route-rules.ts'
import { ruleRules } from './conformance/rule-rules.ts'
import { sourceRules } from './conformance/source-rules.ts'
import { vethRules } from './conformance/veth-rules.ts'
import type { World } from './conformance/world.ts'

export type { World } from './conformance/world.ts'

export function conformance(implementation: string, makeWorld: () => Promise<World>): void {
  describe(`platform: ${implementation}`, () => {
    let world: World
    beforeAll(async () => {
      world = await makeWorld()
    })
    afterAll(async () => {
      for (const namespace of world.namespaces) expect(await world.linkNames(namespace)).toEqual([])
      await world.close()
    })
    describe('veth pairs', () => vethRules(() => world))
    describe('sources', () => sourceRules(() => world))
    describe('links', () => linkRules(() => world))
    describe('addresses', () => addressRules(() => world))
    describe('routes', () => routeRules(() => world))
    describe('rules', () => ruleRules(() => world))
    describe('neighbours', () => neighbourRules(() => world))
    describe('bystanders', () => bystanderRules(() => world))
    describe('namespaces', () => namespaceRules(() => world))
  })
}
