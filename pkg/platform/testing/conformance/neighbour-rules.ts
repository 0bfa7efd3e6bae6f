import { expect, test } from 'vitest'
import type { NeighbourSpec } from '../../doors.ts'
import { pair, refusal, signal, sorted, type World, withPair } from './world.ts'

export function neighbourRules(world: () => World): void {
  test('add, replace and remove both families, idempotently', async () => {
    const { neighbours } = world().platform
    await withPair(world(), async (near) => {
      const spec = (ip: string, mac: string): NeighbourSpec => ({ namespace: near.namespace, link: near.name, ip, mac })
      const old = [spec('172.16.1.100', '02:00:5e:10:00:01'), spec('2001:db8::100', '02:00:5e:10:00:01')]
      const wanted = old.map((entry) => ({ ...entry, mac: '02:00:5e:10:00:02' }))
      for (const entry of [...old, ...wanted, ...wanted]) await neighbours.add(entry, signal)
      expect(sorted(await neighbours.list(near.namespace, signal))).toEqual(sorted(wanted))
      for (const entry of [...wanted, ...wanted]) await neighbours.remove(entry, signal)
      expect(await neighbours.list(near.namespace, signal)).toEqual([])
    })
  })

  test('add requires the link; remove requires neither link nor namespace', async () => {
    const { neighbours } = world().platform
    const [near] = pair(world())
    const spec = { namespace: near.namespace, link: near.name, ip: '172.16.1.100', mac: '02:00:5e:10:00:01' }
    await expect(neighbours.add(spec, signal)).rejects.toEqual(refusal('not_found'))
    await neighbours.remove(spec, signal)
    await neighbours.remove({ ...spec, namespace: 'inode://4/4242' }, signal)
  })
}
