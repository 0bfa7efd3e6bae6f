import { expect, test } from 'vitest'
import { signal, sorted, type World, withBystander, withPair } from './world.ts'

export function bystanderRules(world: () => World): void {
  test('list returns what the pod has without us, and nothing of ours', async () => {
    const { platform, connect } = world()
    await withPair(world(), async (near) => {
      const { namespace, name: link } = near
      await platform.addresses.add({ namespace, link, address: '172.16.1.101/32' }, signal)
      await platform.routes.add({ namespace, link, prefix: '172.16.9.0/24', via: '172.16.1.100', table: 254 }, signal)
      expect(await platform.bystanders.list(namespace, signal)).toEqual([])
      await withBystander(world(), 'eth0', async () => {
        await connect(namespace, 'eth0', { address: '10.244.1.7/24', gateway: '10.244.1.1' })
        expect(sorted(await platform.bystanders.list(namespace, signal))).toEqual([
          { ip: '10.244.1.1', role: 'gateway' },
          { ip: '10.244.1.7', role: 'address' },
        ])
      })
      expect(await platform.bystanders.list(namespace, signal)).toEqual([])
    })
  })
}
