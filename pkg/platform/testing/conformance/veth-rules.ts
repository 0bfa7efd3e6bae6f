import { expect, test } from 'vitest'
import { pair, refusal, signal, type World, withBystander, withPair } from './world.ts'

export function vethRules(world: () => World): void {
  test('createVeth creates both ends with name, alias and MTU, and up, idempotently', async () => {
    const { platform } = world()
    await withPair(world(), async (near, far) => {
      const before = await platform.links.list(near.namespace, signal)
      await platform.links.createVeth([near, far], signal)
      expect(await platform.links.list(near.namespace, signal)).toEqual(before)
      for (const { namespace, ...spec } of [near, far]) {
        expect(await platform.links.list(namespace, signal)).toEqual([
          expect.objectContaining({ ...spec, kind: 'veth', isUp: true }),
        ])
      }
    })
  })

  test('createVeth restores the state and MTU of a changed end', async () => {
    const { platform, setDown } = world()
    await withPair(world(), async (near, far) => {
      await setDown(far.namespace, far.name)
      await platform.links.createVeth([near, { ...far, mtuBytes: 1300 }], signal)
      expect(await platform.links.list(far.namespace, signal)).toEqual([
        expect.objectContaining({ mtuBytes: 1300, isUp: true }),
      ])
    })
  })

  test.each([0, 1] as const)('createVeth refuses a name in use at end %i, and leaves nothing behind', async (end) => {
    const { platform, namespaces } = world()
    const ends = pair(world())
    const [near, far] = end === 0 ? ends : ([ends[1], ends[0]] as const)
    await withBystander(world(), ends[0].name, async () => {
      await expect(platform.links.createVeth([near, far], signal)).rejects.toEqual(refusal('already_exists'))
      expect(await world().linkNames(namespaces[0])).toEqual([ends[0].name])
      expect(await world().linkNames(namespaces[1])).toEqual([])
    })
  })

  test('createVeth does not take over the pair of another owner', async () => {
    const { platform } = world()
    await withPair(world(), async (near) => {
      await expect(platform.links.createVeth(pair(world(), 'two'), signal)).rejects.toEqual(refusal('already_exists'))
      expect((await platform.links.list(near.namespace, signal)).map(({ alias }) => alias)).toEqual(['nsm:one'])
    })
  })

  test('createVeth refuses specs that no kernel accepts', async () => {
    const { platform } = world()
    const [near, far] = pair(world())
    for (const bad of [{ name: 'a/b' }, { name: '' }, { alias: 'mine' }, { mtuBytes: 67 }, { mtuBytes: 1.5 }]) {
      const attempt = platform.links.createVeth([near, { ...far, ...bad }], signal)
      await expect(attempt).rejects.toEqual(refusal('invalid_argument'))
    }
  })

  test('createVeth and list require a known namespace', async () => {
    const { platform } = world()
    const [near, far] = pair(world())
    const lost = { ...far, namespace: 'inode://4/4242' }
    await expect(platform.links.createVeth([near, lost], signal)).rejects.toEqual(refusal('not_found'))
    await expect(platform.links.list(lost.namespace, signal)).rejects.toEqual(refusal('not_found'))
    expect(await world().linkNames(near.namespace)).toEqual([])
  })
}
