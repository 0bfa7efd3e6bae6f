import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { Change } from '../../doors.ts'
import { refusal, signal, sorted, type World, withPair } from './world.ts'

export function namespaceRules(world: () => World): void {
  test('pin, list and unpin, idempotently', async () => {
    const { platform, namespaces } = world()
    const pins = namespaces.map((namespace, index) => ({ id: `wire-${index}`, namespace }))
    for (const pin of [...pins, ...pins]) await platform.namespaces.pin(pin, signal)
    expect(sorted(await platform.namespaces.list(signal))).toEqual(sorted(pins))
    for (const { id } of [...pins, ...pins]) await platform.namespaces.unpin(id, signal)
    expect(await platform.namespaces.list(signal)).toEqual([])
  })

  test('pin refuses an unknown namespace, and an id that pins another one', async () => {
    const { platform, namespaces } = world()
    const lost = platform.namespaces.pin({ id: 'wire', namespace: 'inode://4/4242' }, signal)
    await expect(lost).rejects.toEqual(refusal('not_found'))
    await platform.namespaces.pin({ id: 'wire', namespace: namespaces[0] }, signal)
    const other = platform.namespaces.pin({ id: 'wire', namespace: namespaces[1] }, signal)
    await expect(other).rejects.toEqual(refusal('already_exists'))
    await platform.namespaces.unpin('wire', signal)
  })

  test('watch reports what others do to our objects in a pinned namespace until it is stopped', async () => {
    const { platform, namespaces, setDown, eventually } = world()
    const seen: string[] = []
    const stop = platform.namespaces.watch((namespace) => seen.push(namespace))
    await platform.namespaces.pin({ id: 'wire', namespace: namespaces[0] }, signal)
    await withPair(world(), async (near) => {
      seen.length = 0
      await setDown(near.namespace, near.name)
      await eventually(() => expect(seen).toContain(namespaces[0]))
    })
    stop()
    const count = seen.length
    await withPair(world(), async () => expect(seen).toHaveLength(count))
    await platform.namespaces.unpin('wire', signal)
  })

  test('watch tells how an object of ours is, or that anything may have changed', async () => {
    const { platform, namespaces, eventually } = world()
    const [namespace] = namespaces
    const told: (Change | undefined)[] = []
    const stop = platform.namespaces.watch((_, change) => told.push(change))
    await platform.namespaces.pin({ id: 'wire', namespace }, signal)
    await withPair(world(), async ({ name: link }) => {
      const spec = { namespace, link, address: '172.16.1.101/32' }
      const isTold = (isGone: boolean) =>
        expect(told).toSatisfy((all: typeof told) => {
          return all.some(
            (change) => change === undefined || isDeepStrictEqual(change, { of: 'address', spec, isGone }),
          )
        })
      await platform.addresses.add(spec, signal)
      await eventually(() => isTold(false))
      await platform.addresses.remove(spec, signal)
      await eventually(() => isTold(true))
    })
    stop()
    await platform.namespaces.unpin('wire', signal)
  })
}
