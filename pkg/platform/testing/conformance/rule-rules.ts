import { expect, test } from 'vitest'
import type { RuleSpec } from '../../doors.ts'
import { refusal, signal, sorted, type World } from './world.ts'

export function ruleRules(world: () => World): void {
  const rule = (rest: Partial<RuleSpec>): RuleSpec => ({
    namespace: world().namespaces[0],
    from: '172.16.2.0/24',
    proto: '',
    dstPort: '',
    srcPort: '',
    table: 1,
    ...rest,
  })

  test('add and remove by source, protocol and ports, both families, idempotently', async () => {
    const { rules } = world().platform
    const wanted = [
      rule({ proto: 'tcp', dstPort: '6666' }),
      rule({ proto: 'tcp', srcPort: '5555', table: 2 }),
      rule({ proto: 'udp', dstPort: '6667-6670', table: 4 }),
      rule({ from: '2004::5/128', proto: 'udp', dstPort: '5555', table: 70_000 }),
      rule({ from: '0.0.0.0/0', proto: '47', table: 6 }),
      rule({ from: '::/0', table: 7 }),
    ]
    for (const spec of [...wanted, ...wanted]) await rules.add(spec, signal)
    expect(sorted(await rules.list(world().namespaces[0], signal))).toEqual(sorted(wanted))
    for (const spec of [...wanted, ...wanted]) await rules.remove(spec, signal)
    expect(await rules.list(world().namespaces[0], signal)).toEqual([])
  })

  test('list returns rules in canonical form', async () => {
    const { rules } = world().platform
    const spec = rule({ from: '172.16.2.201', proto: '6', dstPort: '80-80' })
    await rules.add(spec, signal)
    expect(await rules.list(spec.namespace, signal)).toEqual([
      rule({ from: '172.16.2.201/32', proto: 'tcp', dstPort: '80' }),
    ])
    await rules.remove(spec, signal)
  })

  test('add refuses invalid rules; remove succeeds in a namespace that no longer exists', async () => {
    const { rules } = world().platform
    for (const bad of [
      { proto: 'tpc' },
      { dstPort: '0' },
      { srcPort: '9-8' },
      { dstPort: '65536' },
      { from: '' },
      { table: -1 },
    ]) {
      await expect(rules.add(rule(bad), signal)).rejects.toEqual(refusal('invalid_argument'))
    }
    await rules.remove(rule({ namespace: 'inode://4/4242' }), signal)
  })
}
