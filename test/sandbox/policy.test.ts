/** Two domains whose nodes and registries have policies, which change while wires stand. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeV1 } from '../../pkg/api/index.ts'
import { systemClock } from '../../pkg/base/index.ts'
import { type NodeApi, runCli } from '../../pkg/cli/index.ts'
import { clientOf } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'
import type { Workload } from './workload.ts'

const sandbox = new Sandbox()
let west: SandboxDomain
let east: SandboxDomain
let near: SandboxNode
let far: SandboxNode
let client: Workload

/** The policy file of a program, which is there before the program starts. */
function policyFile(name: string) {
  const path = join(sandbox.directory, `${name}-policy.yaml`)
  const change = (...rules: readonly string[]) => writeFileSync(path, `rules: [${rules.join(', ')}]\n`)
  change()
  return { path, change, environment: { NSM_POLICY: path } }
}

const deny = (name: string, actions: string, when: string) =>
  `{name: ${name}, effect: deny, actions: [${actions}], when: ${JSON.stringify(when)}}`

const policies = {
  near: policyFile('near'),
  far: policyFile('far'),
  east: policyFile('east'),
}

beforeAll(async () => {
  west = await sandbox.domain('west')
  east = await sandbox.domain('east', policies.east.environment)
  near = await west.node('n1', policies.near.environment)
  far = await east.node('n1', policies.far.environment)
  await west.joinTo(east)
  await far.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  await east.export('files')
  client = await near.workload()
})
afterAll(() => sandbox.close())

const isUp = (node: SandboxNode) => node.engine.crossConnects.size === 1
const isGone = (node: SandboxNode) => node.engine.ports.size === 0

async function withinASecond(what: string, isTrue: () => boolean): Promise<void> {
  const startMs = performance.now()
  await until(what, isTrue, 10_000)
  expect(performance.now() - startMs).toBeLessThan(1_000)
}

describe('a changed policy closes what it no longer allows within a second', () => {
  it('from the node of the client', async () => {
    const wire = await client.request('kernel://files@east/nsm-1')
    expect([isUp(near), isUp(far)]).toEqual([true, true])
    policies.near.change(deny('no-files', 'request', "service == 'files@east'"))
    await withinASecond('the wire to be gone at both nodes', () => isGone(near) && isGone(far))
    await expect(client.refresh(wire)).rejects.toMatchObject({ code: 'permission_denied' })
    policies.near.change()
  })

  it.each([
    ['the client', deny('no-west', 'request', "client.domain == 'west'")],
    ['the endpoint', deny('nobody-serves', 'serve', "service == 'files'")],
  ])('from the node of the endpoint, by a rule about %s', async (_whom, rule) => {
    const wire = await requestPatiently()
    policies.far.change(rule)
    await withinASecond('the wire to be gone at the endpoint', () => isGone(far))
    await expect(client.refresh(wire)).rejects.toMatchObject({ code: 'permission_denied' })
    expect(isGone(far)).toBe(true)
    await client.closeWire(wire)
    await expect(client.request('kernel://files@east/nsm-2')).rejects.toMatchObject({ code: 'permission_denied' })
    expect([isGone(near), isGone(far)]).toEqual([true, true])
    policies.far.change()
  })

  it('from the registry of the other domain, which no longer shares the service', async () => {
    const wire = await requestPatiently()
    policies.east.change(deny('not-with-west', 'federate', "service == 'files' && client.domain == 'west'"))
    await withinASecond('the wire to be gone at the endpoint', () => isGone(far))
    await client.closeWire(wire)
    policies.east.change()
  })
})

describe('a policy file that is broken', () => {
  it('changes nothing, and nsmctl status says why', async () => {
    const wire = await requestPatiently()
    const root = await near.operator()
    writeFileSync(policies.near.path, 'rules: [{name: none, effect: deny, actions: [request], when: servise == 1}]')
    const problem = async () => {
      const { conditions } = await root.node().status()
      return conditions.find(({ name }) => name === 'policy')?.problem ?? ''
    }
    await expect.poll(problem, { timeout: 5_000 }).toContain('there is no variable servise')
    expect([isUp(near), isUp(far)]).toEqual([true, true])
    await client.refresh(wire)
    rmSync(policies.near.path)
    await expect.poll(problem, { timeout: 5_000 }).toContain('Cannot read the file')
    await client.refresh(wire)
    policies.near.change()
    await expect.poll(problem, { timeout: 5_000 }).toBe('')
    await client.closeWire(wire)
  })

  it('keeps a node from starting', async () => {
    await near.stop()
    writeFileSync(policies.near.path, 'rules: 5')
    await expect(near.start()).rejects.toThrow('must be a list')
    policies.near.change()
    await near.start()
  })
})

describe('an export that is for some', () => {
  const MINE = 'spiffe://west/node/n1/uid/1000'
  const URL = 'kernel://files@east/nsm-1'

  it('lets only those workloads take the service, and closes the wires of the others when it changes', async () => {
    const other = await near.workload(2000)
    await client.closeWire(await requestPatiently())
    await east.export('files', '*', `client.id == '${MINE}'`)
    const refused = { code: 'permission_denied' }
    await until('the export to change', async () => (await other.request(URL).catch(() => undefined)) === undefined)
    await expect(other.request(URL)).rejects.toMatchObject(refused)
    const wire = await client.request(URL)
    expect([isUp(near), isUp(far)]).toEqual([true, true])
    await east.export('files', '*', "client.uid == '2000'")
    await withinASecond('the wire to be gone at the endpoint', () => isGone(far))
    await expect(client.refresh(wire)).rejects.toMatchObject(refused)
    await client.closeWire(wire)
    await other.closeWire(await other.request(URL))
    await east.export('files')
  })
})

describe('nsmctl policy', () => {
  it('tells which wires another policy would close, and why the one in force decides', async () => {
    const wire = await requestPatiently()
    const changed = join(sandbox.directory, 'changed.yaml')
    writeFileSync(changed, `rules: [${deny('no-west', 'request', "client.domain == 'west'")}]\n`)
    const diff = await nsmctl(far, 'diff', changed)
    expect(diff).toMatchObject({ code: 3, out: expect.stringContaining('close 1 wire of this node and keep 0') })
    expect(diff.out).toMatch(/files +spiffe:\/\/west\/node\/n1\/uid\/1000 +.*no-west: the rule denies it/)
    expect([isUp(near), isUp(far)]).toEqual([true, true])
    expect(await nsmctl(far, 'diff', policies.far.path)).toMatchObject({ code: 0 })
    const asked = ['request', 'spiffe://west/node/n1/uid/1000', 'files'] as const
    expect((await nsmctl(far, 'why', ...asked)).out).toContain('allowed by default: no rule denies it')
    await client.closeWire(wire)
  })
})

it('a policy that changed while the node was away holds from its start', async () => {
  const wire = await requestPatiently()
  await near.stop()
  policies.near.change(deny('no-files', 'request', "service == 'files@east'"))
  await near.start()
  await withinASecond('the wire to be gone at both nodes', () => isGone(near) && isGone(far))
  await expect(client.refreshPatiently(wire)).rejects.toMatchObject({ code: 'permission_denied' })
  policies.near.change()
})

/** As an operator of `node` runs it. */
async function nsmctl(node: SandboxNode, ...args: readonly string[]) {
  const operator = await node.operator()
  const service = clientOf(nodeV1.NodeService, operator.channel)
  const soon = () => ({ signal: AbortSignal.timeout(10_000) })
  const out: string[] = []
  const print = (text: string) => void out.push(text)
  const mesh = {
    node: async () =>
      ({
        explainPolicy: (question) => service.explainPolicy(nodeV1.PolicyQuestion.fromPartial(question), soon()),
        diffPolicy: (files) => service.diffPolicy({ files: [...files] }, soon()),
      }) satisfies Partial<NodeApi> as NodeApi,
    admin: () => Promise.reject(new Error('no admin here')),
    close: async () => {},
  }
  const terminal = { print, read: async () => '', signal: AbortSignal.abort(), isColoured: false }
  const code = await runCli(['policy', ...args], { mesh, terminal, clock: systemClock, printError: print })
  return { code, out: out.join('\n') }
}

/** Once the policy before has been read again. */
async function requestPatiently() {
  const asked = () => client.request('kernel://files@east/nsm-1').catch(() => undefined)
  await until('a wire', async () => (await asked()) !== undefined, 10_000)
  const wire = await asked()
  if (wire === undefined) throw new Error('the wire is gone again')
  return wire
}
