import { expect, test } from 'vitest'
import { signal, type World, withPair } from './world.ts'

export function sourceRules(world: () => World): void {
  test.each(['checksSources', 'checksIpv6Sources'] as const)(
    'createVeth with %s checks both ends, of a pair that stands, too, and none without it',
    async (check) => {
      const { platform } = world()
      await withPair(world(), async (near, far) => {
        const checked = async () =>
          Promise.all(
            [near, far].map(async ({ namespace }) => (await platform.links.list(namespace, signal))[0]?.[check]),
          )
        expect(await checked()).toEqual([false, false])
        const specs = [
          { ...near, [check]: true },
          { ...far, [check]: true },
        ] as const
        await platform.links.createVeth(specs, signal)
        expect(await checked()).toEqual([true, true])
        await platform.links.remove(near.namespace, near.name, signal)
        await platform.links.createVeth(specs, signal)
        expect(await checked()).toEqual([true, true])
      })
    },
  )
}
