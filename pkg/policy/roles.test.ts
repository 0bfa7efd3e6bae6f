import { describe, expect, test } from 'vitest'
import { trustDomainOf } from '../api/index.ts'
import { isNode, isRegistry, isWorkloadOf, namerOf, nodeNameOf, shareOf } from './roles.ts'

describe('trustDomainOf', () => {
  test.each([
    ['spiffe://west/node/n1', 'west'],
    ['spiffe://west', 'west'],
    ['https://west/node/n1', ''],
    ['spiffe:///node/n1', ''],
    ['', ''],
  ])('reads %s as %j', (id, domain) => expect(trustDomainOf(id)).toBe(domain))
})

describe('isNode', () => {
  test.each([
    ['spiffe://west/node/n1', true],
    ['spiffe://west/node/n-1.rack_2', true],
    ['spiffe://west/node/n1/uid/0', false],
    ['spiffe://west/node/', false],
    ['spiffe://west/node', false],
    ['spiffe://west/nodes/n1', false],
    ['spiffe://west/ns/node/n1', false],
    ['spiffe://east/node/n1', false],
    ['spiffe://west.evil/node/n1', false],
    ['spiffe://west/node/n1%2fuid', false],
    ['', false],
  ])('%s in west: %s', (id, expected) => expect(isNode(id, 'west')).toBe(expected))

  test('nothing is a node of an empty domain', () => expect(isNode('spiffe:///node/n1', '')).toBe(false))
  test('nodeNameOf returns the last segment', () => expect(nodeNameOf('spiffe://west/node/n1', 'west')).toBe('n1'))
})

describe('isRegistry', () => {
  test.each([
    ['spiffe://west/registry', 'west', true],
    ['spiffe://west/registry/x', 'west', false],
    ['spiffe://west/node/registry', 'west', false],
    ['spiffe://east/registry', 'west', false],
    ['spiffe:///registry', '', false],
  ])('%s in %j: %s', (id, domain, expected) => expect(isRegistry(id, domain)).toBe(expected))
})

describe('isWorkloadOf', () => {
  test.each([
    ['spiffe://west/node/n1/uid/0', 'spiffe://west/node/n1', true],
    ['spiffe://west/node/n1', 'spiffe://west/node/n1', false],
    ['spiffe://west/node/n1/', 'spiffe://west/node/n1', false],
    ['spiffe://west/node/n10/uid/0', 'spiffe://west/node/n1', false],
    ['spiffe://east/node/n1/uid/0', 'spiffe://west/node/n1', false],
    ['spiffe://west/registry/x', 'spiffe://west/registry', false],
    ['spiffe://west/node/n1/uid/0/x', 'spiffe://west/node/n1/uid/0', false],
  ])('%s below %s: %s', (id, node, expected) => expect(isWorkloadOf(id, node)).toBe(expected))
})

describe('namerOf', () => {
  test.each([
    ['spiffe://west/node/n1', 'spiffe://west/node/n1'],
    ['spiffe://west/node/n1/uid/0', 'spiffe://west/node/n1'],
    ['spiffe://west/registry', 'spiffe://west/registry'],
    ['spiffe://west/ns/shop/sa/db', 'spiffe://west/ns/shop/sa/db'],
    ['spiffe://east/node/n1/uid/0', 'east'],
    ['spiffe://east/registry', 'east'],
  ])('of %s in west is %s', (id, namer) => expect(namerOf(id, 'west')).toBe(namer))
})

describe('shareOf', () => {
  test.each([
    ['spiffe://west/node/n1', 'spiffe://west/node/n1'],
    ['spiffe://west/node/n1/uid/0', 'workloads of spiffe://west/node/n1'],
    ['spiffe://west/registry', 'spiffe://west/registry'],
    ['spiffe://west/ns/shop/sa/db', 'spiffe://west/ns/shop/sa/db'],
    ['spiffe://east/node/n1', 'east'],
    ['spiffe://east/node/n1/uid/0', 'workloads of east'],
    ['spiffe://east/ns/shop/sa/db', 'workloads of east'],
    ['spiffe://east/registry', 'east'],
  ])('of %s in west is %s', (id, share) => expect(shareOf(id, 'west')).toBe(share))
})
