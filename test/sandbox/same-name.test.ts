/** Two that take themselves for one: the first one keeps the name, the second one hears why, and nobody fights. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'
import { SandboxEndpoint, type Workload } from './workload.ts'

describe('two nodes of one name', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let first: SandboxNode
  let second: SandboxNode

  beforeAll(async () => {
    west = await sandbox.domain('west')
    first = await west.node('n1')
    await first.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
    second = await west.namesake(first)
  })
  afterAll(() => sandbox.close())

  it('says so in the statuses of both and in the list of nodes', async () => {
    const [atFirst, atSecond] = [await first.operator(), await second.operator()]
    await until(
      'the second to say who has its name',
      async () => (await problems(atSecond)).includes(first.url),
      10_000,
    )
    await until('the first to say who tried', async () => (await problems(atFirst)).includes(second.url), 10_000)
    const { nodes } = await west.admin((domains) => domains.listNodes({}, { signal: AbortSignal.timeout(5_000) }))
    expect(nodes).toMatchObject([{ name: 'n1', url: first.url, namesake: second.url }])
  })

  it('leaves the first one its registrations and its wires', async () => {
    const client = await first.workload()
    const wire = await client.request('kernel://files/nsm-1')
    const before = await west.registered()
    expect(before).toMatchObject([{ name: 'files' }, { name: 'nse-files', url: first.url }])
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(await west.registered()).toEqual(before)
    await client.closeWire(await client.refresh(wire))
  })

  it('gives the second one the name once the first one is gone', async () => {
    const atSecond = await second.operator()
    await first.stop()
    await until('the second one to be well', async () => (await problems(atSecond)) === '', 15_000)
  })
})

describe('two programs of one name on a node', () => {
  const sandbox = new Sandbox()
  let node: SandboxNode

  beforeAll(async () => {
    node = await (await sandbox.domain('west')).node('n1')
    await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  })
  afterAll(() => sandbox.close())

  it('refuses the second client until the first one has gone', async () => {
    const { namespace, uid } = (await node.workload()).place.process
    const first = await node.process({ namespace, uid, pid: 100 })
    const second = await node.process({ namespace, uid, pid: 101 })
    const wire = await first.request('kernel://files/nsm-1')
    const before = node.writes.length
    const refusal = { code: 'already_exists', message: expect.stringMatching(/another program that has it/) }
    await expect(second.request('kernel://files/nsm-1')).rejects.toMatchObject(refusal)
    await first.refresh(wire)
    expect(node.writes.length).toBe(before)
    await first.close()
    const taken = async () => second.request('kernel://files/nsm-1').catch(() => undefined)
    await until('the second one to have it', async () => (await taken()) !== undefined, 5_000)
    expect(node.writes.length).toBe(before)
  })

  it('refuses the second endpoint', async () => {
    const place = await node.holder.place({ uid: 2000, namespace: 'inode://4/777', pid: 102 })
    const opened = SandboxEndpoint.open(place, {
      service: 'files',
      name: 'nse-files',
      cidr: '172.16.2.0/24',
      clock: node.clock,
    })
    const late = new Promise((resolve) => setTimeout(() => resolve('still refused'), 1_000))
    expect(await Promise.race([opened, late])).toBe('still refused')
  })
})

async function problems(operator: Workload): Promise<string> {
  const { conditions } = await operator.node().status()
  return conditions.map(({ problem }) => problem).join('')
}
