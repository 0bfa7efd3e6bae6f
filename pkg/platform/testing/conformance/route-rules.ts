import { expect, test } from 'vitest'
import type { LinkSpec, RouteSpec } from '../../doors.ts'
import { pair, refusal, signal, sorted, type World, withPair } from './world.ts'

export function routeRules(world: () => World): void {
  const spec = (link: LinkSpec, prefix: string, rest: Partial<RouteSpec> = {}): RouteSpec => ({
    namespace: link.namespace,
    link: link.name,
    prefix,
    via: undefined,
    table: 254,
    ...rest,
  })
  const wanted = (link: LinkSpec) => [
    spec(link, '172.16.1.100/32'),
    spec(link, '0.0.0.0/0', { via: '172.16.2.200', table: 1 }),
    spec(link, '2001:db8::100/128'),
    spec(link, '::/0', { via: '2004::6', table: 5 }),
    spec(link, '10.0.0.0/8', { table: 70_000 }),
  ]

  test('add and remove, on the link or through a gateway outside its subnets, idempotently', async () => {
    const { routes, addresses } = world().platform
    await withPair(world(), async (near) => {
      for (const address of ['172.16.1.101/32', '2001:db8::101/128']) {
        await addresses.add({ namespace: near.namespace, link: near.name, address }, signal)
      }
      for (const route of [...wanted(near), ...wanted(near)]) await routes.add(route, signal)
      expect(sorted(await routes.list(near.namespace, signal))).toEqual(sorted(wanted(near)))
      for (const route of [...wanted(near), ...wanted(near)]) await routes.remove(route, signal)
      expect(await routes.list(near.namespace, signal)).toEqual([])
    })
  })

  test('add refuses a different route to the same prefix, and invalid routes', async () => {
    const { routes } = world().platform
    await withPair(world(), async (near) => {
      await routes.add(spec(near, '10.0.0.0/8'), signal)
      const other = spec(near, '10.0.0.0/8', { via: '172.16.2.200' })
      await expect(routes.add(other, signal)).rejects.toEqual(refusal('already_exists'))
      const mixed = spec(near, '10.0.0.0/8', { via: '2004::6' })
      await expect(routes.add(mixed, signal)).rejects.toEqual(refusal('invalid_argument'))
      await expect(routes.add(spec(near, '10.0.0.0/8', { table: 0 }), signal)).rejects.toEqual(
        refusal('invalid_argument'),
      )
    })
  })

  test('list returns prefixes in canonical form', async () => {
    const { routes } = world().platform
    await withPair(world(), async (near) => {
      await routes.add(spec(near, '10.1.2.3/8'), signal)
      expect(await routes.list(near.namespace, signal)).toEqual([spec(near, '10.0.0.0/8')])
    })
  })

  test('routes disappear when their link goes down, and cannot be added while it is down', async () => {
    const { platform, setDown } = world()
    await withPair(world(), async (near) => {
      await platform.routes.add(spec(near, '10.0.0.0/8'), signal)
      await setDown(near.namespace, near.name)
      expect(await platform.routes.list(near.namespace, signal)).toEqual([])
      const attempt = platform.routes.add(spec(near, '10.0.0.0/8'), signal)
      await expect(attempt).rejects.toEqual(refusal('failed_precondition'))
    })
  })

  test('add requires the link; remove requires neither link nor namespace', async () => {
    const { routes } = world().platform
    const [near] = pair(world())
    await expect(routes.add(spec(near, '10.0.0.0/8'), signal)).rejects.toEqual(refusal('not_found'))
    await routes.remove(spec(near, '10.0.0.0/8'), signal)
    await routes.remove(spec({ ...near, namespace: 'inode://4/4242' }, '10.0.0.0/8'), signal)
  })
}
