import { expect, test } from 'vitest'
import { refusal, signal, sorted, type World, withBystander } from './world.ts'

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

  test('watch reports changes in a pinned namespace until it is stopped', async () => {
    const { platform, namespaces } = world()
    const seen: string[] = []
    const stop = platform.namespaces.watch((namespace) => seen.push(namespace))
    await platform.namespaces.pin({ id: 'wire', namespace: namespaces[0] }, signal)
    await withBystander(world(), 'eth7', () => world().eventually(() => expect(seen).toContain(namespaces[0])))
    stop()
    const count = seen.length
    await withBystander(world(), 'eth8', async () => expect(seen).toHaveLength(count))
    await platform.namespaces.unpin('wire', signal)
  })
}
