import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

const STARTING = { phase: 'Pending', isReady: false }
const WIRE = 'kernel://files/nsm-1'

describe('pods that start through the gate', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let node: SandboxNode

  beforeAll(async () => {
    west = await sandbox.domain('west')
    node = await west.node('n1', { NSM_KUBERNETES: 'on' })
    node.pods.apply({ name: 'files-0', serve: 'files?prefix=172.16.1.0/28' })
    const names = async () => (await west.registered()).map(({ name }) => name)
    await until('the endpoint of the pod', async () => (await names()).includes('files-0.shop'))
  })
  afterAll(() => sandbox.close())

  const sandboxOf = (name: string, id: string) => ({ uid: `uid-${name}`, namespace: 'shop', name, sandbox: id })
  const add = (name: string, network: string, id = `${name}-1`) =>
    node.holder.gate({ at: 'add', network, ...sandboxOf(name, id) })
  const del = (name: string, id: string) => node.holder.gate({ at: 'del', ...sandboxOf(name, id) })

  it('have their wires when they are let in', async () => {
    const network = node.pods.apply({ name: 'waits', wires: WIRE, ...STARTING })
    expect(await add('waits', network)).toBe('')
    expect(node.links(network)).toEqual(['nsm-1'])
    expect(await del('waits', 'waits-1')).toBe('')
    await until('the wire to end', () => node.links(network).length === 0)
  })

  it('are refused in one sentence, while others start', async () => {
    const network = node.pods.apply({ name: 'alone', wires: 'kernel://nobody/nsm-1', ...STARTING })
    const refused = add('alone', network)
    const other = node.pods.apply({ name: 'other', wires: WIRE, ...STARTING })
    expect(await add('other', other)).toBe('')
    expect(await refused).toMatch(/^Cannot start the pod: its wire to nobody is not up: .*nobody/)
  })

  it('take wires and address along to another sandbox, and a late end of the former one changes nothing', async () => {
    const pod = { name: 'again', wires: WIRE, ...STARTING }
    const former = node.pods.apply(pod)
    expect(await add('again', former)).toBe('')
    const addresses = (network: string) => node.kernel.namespace(network).addresses.map(({ address }) => address)
    const before = addresses(former)
    const next = node.pods.restart(pod)
    expect(await add('again', next, 'again-2')).toBe('')
    expect(await del('again', 'again-1')).toBe('')
    expect([node.links(former), node.links(next), addresses(next)]).toEqual([[], ['nsm-1'], before])
  })

  it('wait for what they inherit, of which nsm-cni finds a file', async () => {
    const gate = join(node.directory, 'gate')
    await node.stop()
    await node.start({ NSM_GATE_DIR: gate })
    node.pods.applyNamespace('shop', { 'networkservicemesh.io': WIRE })
    await until('the file', () => existsSync(join(gate, 'gated', 'shop')))
    const network = node.pods.apply({ name: 'heir', ...STARTING })
    expect(await add('heir', network)).toBe('')
    expect(node.links(network)).toEqual(['nsm-1'])
    node.pods.applyNamespace('shop', {})
    await until('the wire to end', () => node.links(network).length === 0)
    expect(readdirSync(join(gate, 'gated'))).toEqual([])
  })

  it('wait for what they inherit also while their node has heard of the pods, and not yet of the namespaces', async () => {
    const told = Promise.withResolvers<void>()
    await node.stop()
    node.pods.applyNamespace('shop', { 'networkservicemesh.io': WIRE })
    const network = node.pods.apply({ name: 'early-heir', ...STARTING })
    node.pods.namespacesTold = told.promise
    await node.start()
    const answer = add('early-heir', network)
    expect(await Promise.race([answer, sleep(200, 'waits')])).toBe('waits')
    told.resolve()
    node.pods.namespacesTold = undefined
    expect([await answer, node.links(network)]).toEqual(['', ['nsm-1']])
    node.pods.applyNamespace('shop', {})
    await until('the wire to end', () => node.links(network).length === 0)
  })

  it('keep their wires while their init containers run and the daemon of their node starts anew', async () => {
    const startTime = new Date(Date.now() - 60_000).toISOString()
    const network = node.pods.apply({ name: 'long-init', wires: WIRE, ...STARTING, startTime })
    expect(await add('long-init', network)).toBe('')
    const former = node.pods.apply({ name: 'goes', wires: WIRE, ...STARTING, startTime })
    expect(await add('goes', former)).toBe('')
    const addresses = () => node.kernel.namespace(network).addresses.map(({ address }) => address)
    const before = addresses()
    await node.stop()
    node.pods.remove('goes')
    await node.start()
    await until('former wires to end', () => node.links(former).length === 0)
    expect([node.links(network), addresses()]).toEqual([['nsm-1'], before])
  })

  it('are refused while their node starts, and let in afterwards', async () => {
    const network = node.pods.apply({ name: 'early', wires: WIRE, ...STARTING })
    await node.stop()
    expect(await add('early', network)).toBe('no answer')
    await node.start()
    expect(await add('early', network)).toBe('')
    expect(node.links(network)).toEqual(['nsm-1'])
  })
})
