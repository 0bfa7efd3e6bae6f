import { expect, test } from 'vitest'
import { signal, type World, withPair } from './world.ts'

export function sourceRules(world: () => World): void {
  test('createVeth has sources checked at both ends, of a pair that stands, too, and at none without being told', async () => {
    const { platform } = world()
    await withPair(world(), async (near, far) => {
      const checked = async () =>
        Promise.all(
          [near, far].map(async ({ namespace }) => (await platform.links.list(namespace, signal))[0]?.checksSources),
        )
      expect(await checked()).toEqual([false, false])
      const specs = [
        { ...near, checksSources: true },
        { ...far, checksSources: true },
      ] as const
      await platform.links.createVeth(specs, signal)
      expect(await checked()).toEqual([true, true])
      await platform.links.remove(near.namespace, near.name, signal)
      await platform.links.createVeth(specs, signal)
      expect(await checked()).toEqual([true, true])
    })
  })
}
