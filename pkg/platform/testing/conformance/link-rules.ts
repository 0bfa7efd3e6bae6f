import { expect, test } from 'vitest'
import { pair, refusal, signal, type World, withBystander, withPair } from './world.ts'

export function linkRules(world: () => World): void {
  test('a pair with both ends in one namespace works', async () => {
    const { platform, namespaces } = world()
    const [near, far] = pair(world())
    await platform.links.createVeth([near, { ...far, namespace: namespaces[0] }], signal)
    expect(await platform.links.list(namespaces[0], signal)).toHaveLength(2)
    await platform.links.remove(namespaces[0], far.name, signal)
    expect(await world().linkNames(namespaces[0])).toEqual([])
  })

  test('remove removes both ends, and succeeds when the link or its namespace no longer exists', async () => {
    const { platform, namespaces } = world()
    await withPair(world(), async (near) => {
      await platform.links.remove(near.namespace, near.name, signal)
      expect(await world().linkNames(namespaces[1])).toEqual([])
      await platform.links.remove(near.namespace, near.name, signal)
      await platform.links.remove('inode://4/4242', near.name, signal)
    })
  })

  test('list does not show, and remove does not touch, links that are not ours', async () => {
    const { platform, namespaces } = world()
    await withBystander(world(), 'eth7', async () => {
      expect(await platform.links.list(namespaces[0], signal)).toEqual([])
      await platform.links.remove(namespaces[0], 'eth7', signal)
      expect(await world().linkNames(namespaces[0])).toEqual(['eth7'])
    })
  })

  test('configure takes a link without an alias, and refuses a missing link or that of another owner', async () => {
    const { platform, namespaces } = world()
    const spec = { namespace: namespaces[0], name: 'tun7', alias: 'nsm:one', mtuBytes: 1380 }
    await expect(platform.links.configure(spec, signal)).rejects.toEqual(refusal('not_found'))
    await withBystander(world(), spec.name, async () => {
      await platform.links.configure(spec, signal)
      await platform.links.configure(spec, signal)
      expect(await platform.links.list(spec.namespace, signal)).toEqual([
        expect.objectContaining({ name: 'tun7', alias: 'nsm:one', mtuBytes: 1380, isUp: true }),
      ])
      const other = platform.links.configure({ ...spec, alias: 'nsm:two' }, signal)
      await expect(other).rejects.toEqual(refusal('already_exists'))
    })
  })
}
