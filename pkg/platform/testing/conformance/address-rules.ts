import { expect, test } from 'vitest'
import type { AddressSpec, LinkSpec } from '../../doors.ts'
import { pair, refusal, signal, sorted, type World, withPair } from './world.ts'

export function addressRules(world: () => World): void {
  const spec = (link: LinkSpec, address: string): AddressSpec => ({
    namespace: link.namespace,
    link: link.name,
    address,
  })

  test('add and remove both families, idempotently', async () => {
    const { addresses } = world().platform
    await withPair(world(), async (near) => {
      const wanted = ['172.16.1.101/32', '10.7.0.1/24', '2001:db8::101/128'].map((text) => spec(near, text))
      for (const address of [...wanted, ...wanted]) await addresses.add(address, signal)
      expect(sorted(await addresses.list(near.namespace, signal))).toEqual(sorted(wanted))
      for (const address of [...wanted, ...wanted]) await addresses.remove(address, signal)
      expect(await addresses.list(near.namespace, signal)).toEqual([])
    })
  })

  test('list returns addresses in canonical form', async () => {
    const { addresses } = world().platform
    await withPair(world(), async (near) => {
      await addresses.add(spec(near, '2001:DB8:0::1/64'), signal)
      expect(await addresses.list(near.namespace, signal)).toEqual([spec(near, '2001:db8::1/64')])
    })
  })

  test('what a workload has given its link is told from ours', async () => {
    const { addresses } = world().platform
    await withPair(world(), async (near) => {
      await addresses.add(spec(near, '10.7.0.1/24'), signal)
      await world().assign(near.namespace, near.name, '10.99.0.1/24')
      expect(sorted(await addresses.list(near.namespace, signal))).toEqual(
        sorted([spec(near, '10.7.0.1/24'), { ...spec(near, '10.99.0.1/24'), isForeign: true }]),
      )
    })
  })

  test('add requires the link; remove requires neither link nor namespace', async () => {
    const { addresses } = world().platform
    const [near] = pair(world())
    await expect(addresses.add(spec(near, '10.7.0.1/24'), signal)).rejects.toEqual(refusal('not_found'))
    await addresses.remove(spec(near, '10.7.0.1/24'), signal)
    await addresses.remove({ ...spec(near, '10.7.0.1/24'), namespace: 'inode://4/4242' }, signal)
  })

  test('addresses disappear with their link', async () => {
    const { platform } = world()
    await withPair(world(), async (near) => {
      await platform.addresses.add(spec(near, '10.7.0.1/24'), signal)
      await platform.links.remove(near.namespace, near.name, signal)
      expect(await platform.addresses.list(near.namespace, signal)).toEqual([])
    })
  })
}
