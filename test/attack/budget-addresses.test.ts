/** What one domain, one node and one workload can take of an endpoint's addresses, however many clients they name. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCode } from '../../pkg/base/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'

/** The addresses of each endpoint are enough for 16 wires, fewer than anybody's share of wires. */
const PAIRS = 16

const sandbox = new Sandbox()
let west: SandboxDomain
let near: SandboxNode
let neighbour: SandboxNode
let rogue: SandboxNode
let south: SandboxNode

beforeAll(async () => {
  west = await sandbox.domain('west')
  const [east, other] = [await sandbox.domain('east'), await sandbox.domain('south')]
  near = await west.node('n1')
  neighbour = await west.node('n2')
  rogue = await east.node('n1')
  south = await other.node('n1')
  await east.joinTo(west)
  await other.joinTo(west)
  const services = ['for-domains', 'for-nodes', 'for-workloads', 'for-accounts']
  for (const [index, service] of services.entries()) {
    await near.endpoint({ service, name: `nse-${service}`, cidr: `172.16.${index}.0/27` })
    await west.export(service)
  }
}, 30_000)
afterAll(() => sandbox.close())

/** Subordinate uids: the kernel counts them for the user who made their user namespace. */
const manyUids = (node: SandboxNode) => (at: number) => {
  const namespace = sandbox.namespace()
  node.kernel.addNamespace(namespace)
  return node.process({ uid: 100_000 + at, namespace, account: 'uid/1000' })
}
const manyClients = (node: SandboxNode) => (at: number) => node.workload(1000 + at)
const oneClient = (node: SandboxNode) => {
  const client = node.workload(1000)
  return () => client
}

interface Row {
  readonly who: string
  readonly clientOf: () => (at: number) => Promise<Workload>
  readonly asks: string
  /** How many of the 16 it gets. */
  readonly most: number
  readonly others: () => readonly [SandboxNode, string][]
}

const rows: readonly Row[] = [
  {
    who: 'a foreign domain that names a client for each wire',
    clientOf: () => manyClients(rogue),
    asks: 'for-domains@west',
    most: 14,
    others: () => [
      [south, 'for-domains@west'],
      [near, 'for-domains'],
    ],
  },
  {
    who: 'a node that names a client for each wire',
    clientOf: () => manyClients(neighbour),
    asks: 'for-nodes',
    most: 14,
    others: () => [
      [near, 'for-nodes'],
      [south, 'for-nodes@west'],
    ],
  },
  {
    who: 'a workload of the same node',
    clientOf: () => oneClient(near),
    asks: 'for-workloads',
    most: 12,
    others: () => [
      [near, 'for-workloads'],
      [south, 'for-workloads@west'],
    ],
  },
  {
    who: 'an account of the same node that has a uid for each wire',
    clientOf: () => manyUids(near),
    asks: 'for-accounts',
    most: 12,
    others: () => [
      [near, 'for-accounts'],
      [south, 'for-accounts@west'],
    ],
  },
]

test.each(rows)('$who leaves addresses to others', async ({ clientOf, asks, most, others }) => {
  const client = clientOf()
  const refusals: unknown[] = []
  for (let at = 0; at < PAIRS; at += 1) {
    const greedy = await client(at)
    await greedy.request(`kernel://${asks}/i${at}`).catch((error: unknown) => refusals.push(error))
  }
  expect(refusals.map(errorCode)).toEqual(Array.from({ length: PAIRS - most }, () => 'resource_exhausted'))
  expect(String(refusals[0])).toMatch(/the rest of the pool is for others/)
  for (const [node, service] of others()) {
    const honest = await node.workload(3000)
    const { context } = await honest.request(`kernel://${service}/nsm-1`)
    expect(context.ip.srcIpAddrs).toHaveLength(1)
  }
})
