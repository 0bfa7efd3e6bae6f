import { expect, test } from 'vitest'
import type { KernelEnd, WireIntent } from '../mechanism/index.ts'
import { RoutingTables } from './routing-tables.ts'
import { localWire } from './testing/fake-node.ts'

const policy = { from: '10.0.0.1/32', proto: '', dstPort: '', srcPort: '', routes: [] }

function wireWith(id: string, policies: number): WireIntent {
  const wire = localWire(id)
  const client = wire.client as KernelEnd
  return { ...wire, client: { ...client, policies: new Array(policies).fill(policy) } }
}

test('tables start at 1, are unique per namespace, and stay with their owner', () => {
  const tables = new RoutingTables()
  const first = tables.allocate(wireWith('a', 2), undefined)
  expect(first).toEqual({ client: [1, 2], server: [] })
  expect(tables.allocate(wireWith('b', 1), undefined).client).toEqual([3])
  expect(tables.allocate(wireWith('a', 3), first).client).toEqual([1, 2, 4])
  tables.release('a')
  expect(tables.allocate(wireWith('c', 2), undefined).client).toEqual([1, 2])
})

test('tables of an earlier run are taken back, but never from another owner', () => {
  const tables = new RoutingTables()
  expect(tables.allocate(wireWith('a', 1), { client: [7], server: [] }).client).toEqual([7])
  expect(tables.allocate(wireWith('b', 2), { client: [7, 7], server: [] }).client).toEqual([1, 2])
})

test('tables end before those of the kernel', () => {
  const tables = new RoutingTables()
  expect(tables.allocate(wireWith('a', 252), undefined).client.at(-1)).toBe(252)
  expect(() => tables.allocate(wireWith('b', 1), undefined)).toThrow(
    expect.objectContaining({ code: 'resource_exhausted' }),
  )
})
