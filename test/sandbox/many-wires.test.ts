/** One client with more wires than a connection carries streams: each is kept, and hears what happens to it. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KeptWires, parseNetworkServices } from '../../pkg/client/index.ts'
import { monitorClient, networkServiceClient } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxNode } from './sandbox.ts'

const WIRES = 120

const sandbox = new Sandbox()
let node: SandboxNode

beforeAll(async () => {
  const west = await sandbox.domain('west')
  node = await west.node('n1', { NSM_MAX_WIRES: '1000' })
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '10.20.0.0/20' })
}, 30_000)
afterAll(() => sandbox.close())

it(`keeps ${WIRES} wires, and makes one again that was closed`, { timeout: 60_000 }, async () => {
  const client = await node.workload()
  const urls = Array.from({ length: WIRES }, (_, i) => `kernel://files/w${i}`).join(',')
  const wires = new KeptWires(parseNetworkServices(urls), {
    client: 'nsc',
    labels: {},
    requestTimeoutMs: 15_000,
    services: networkServiceClient(client.channel),
    monitor: monitorClient(client.channel),
    clock: sandbox.clock,
    logger: sandbox.logger,
  })
  const standing = () => node.links(client.namespace).length
  await until('all wires', () => standing() === WIRES, 30_000)
  const operator = await node.operator()
  const { wires: shown } = await operator.node().wires()
  const [some] = shown
  await operator.node().close(some?.id ?? '')
  await until('the closed one to go', () => standing() < WIRES, 5_000)
  await until('the closed one to be back', () => standing() === WIRES, 10_000)
  await wires.close()
  expect(standing()).toBe(0)
})
