/**
 * The mesh with SPIRE as its identity agent: two domains, each with a SPIRE of its own, and every program of nsmesh that
 * has an identity gets it there. Lifetimes are so short that all of them are renewed several times.
 */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Node, nodeReady, nsmctl, type Registry, startNode, startRegistry } from '../lab/cluster.ts'
import { DAEMON_UID, Lab, REGISTRY_UID } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import { requestServices, serveService, startWorkload, WORKLOAD_UID, type Workload } from '../lab/workload.ts'
import { Spire } from './spire.ts'

const SETUP_MS = 120_000
/** SPIRE renews an SVID when half of its life is over. */
const LIFETIME_SECONDS = 20
const ROOT_UID = 0
const FILES_CIDR = '172.16.1.0/24'
/** Ten times a second for as long as three SVIDs live one after the other. */
const PINGS = 3 * LIFETIME_SECONDS * 10

interface Domain {
  readonly spire: Spire
  readonly registry: Registry
  readonly node: Node
}

let lab: Lab
let west: Domain
let east: Domain
let reader: Workload

async function startDomain(name: string, other: string, number: number): Promise<Domain> {
  const spire = await Spire.start(lab, name)
  await register(spire, name, other)
  const agent = { SPIFFE_ENDPOINT_SOCKET: `unix://${spire.agentSocket}` }
  const registry = await startRegistry(lab, name, { number, environment: agent })
  const node = await startNode(lab, registry, { index: 1, number: number + 1, agentSocket: spire.agentSocket })
  await nodeReady(node)
  return { spire, registry, node }
}

/** A workload of west has a name that says nothing of its node, as SPIRE's often do; the one of east is below it. */
async function register(spire: Spire, name: string, other: string): Promise<void> {
  // A domain has to be known before entries can name it; its own bundle stands in until both servers run.
  await spire.federate(other, await spire.bundle())
  const entries = [
    { path: '/registry', uid: REGISTRY_UID },
    { path: `/node/${name}-1`, uid: DAEMON_UID },
    { path: name === 'east' ? '/node/east-1/ns/shop/sa/files' : '/ns/shop/sa/reader', uid: WORKLOAD_UID },
    { path: '/operator', uid: ROOT_UID },
  ]
  for (const entry of entries) {
    await spire.register({ ...entry, lifetimeSeconds: LIFETIME_SECONDS, federatesWith: [other] })
  }
}

async function must(outcome: ReturnType<typeof nsmctl>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

async function federate(): Promise<void> {
  const [ofWest, ofEast] = [await west.spire.bundle(), await east.spire.bundle()]
  await Promise.all([west.spire.federate('east', ofEast), east.spire.federate('west', ofWest)])
  await Promise.all([west.spire.spread('east', ofEast), east.spire.spread('west', ofWest)])
}

async function answers(workload: Workload, ...options: readonly string[]): Promise<string> {
  const route = await workload.host.run(['ip', '-json', 'route', 'show', 'dev', 'nsm-1'])
  const [ip = ''] = /172\.16\.1\.\d+/.exec(route.replaceAll(/"prefsrc":"[^"]*"/g, '')) ?? []
  const { stdout } = await workload.host.tryRun(['ping', '-i', '0.1', '-W', '2', ...options, ip], {
    timeoutMs: 120_000,
  })
  return /(\d+% packet loss)/.exec(stdout)?.[1] ?? stdout
}

async function another(name: string): Promise<Workload> {
  const workload = await startWorkload(lab, west.node, name)
  await requestServices(lab, workload, 'kernel://files@east/nsm-1')
  return workload
}

beforeAll(async () => {
  lab = await Lab.create()
  ;[west, east] = await Promise.all([startDomain('west', 'east', 10), startDomain('east', 'west', 20)])
  await federate()
}, SETUP_MS)

afterAll(() => lab?.close(), SETUP_MS)

test('the registry has no authority of its own, and knows the nodes that SPIRE made', async () => {
  expect(existsSync(`${lab.directory}/west-registry/registry.db`)).toBe(true)
  expect(existsSync(`${lab.directory}/west-registry/authority.pem`)).toBe(false)
  expect(await must(nsmctl(west.registry, 'get', 'nodes'))).toContain('west-1')
  expect(await nsmctl(west.registry, 'node', 'invite', 'west-2')).toMatchObject({
    code: expect.not.stringMatching('0'),
    stderr: expect.stringContaining('another agent issues those of this domain'),
  })
})

test('two domains join, and a wire comes up between their workloads', { timeout: 60_000 }, async () => {
  const token = await must(nsmctl(east.registry, 'domain', 'invite', 'west'))
  await must(nsmctl(west.registry, 'domain', 'join', token))
  const files = await startWorkload(lab, east.node, 'files-1')
  serveService(lab, files, { service: 'files', cidr: FILES_CIDR })
  await must(nsmctl(east.registry, 'domain', 'export', 'files', 'west'))
  reader = await another('reader-1')
  expect(await answers(reader, '-c', '20')).toBe('0% packet loss')
})

test('no packet is lost while every SVID is renewed', { timeout: 120_000 }, async () => {
  expect(await answers(reader, '-c', `${PINGS}`)).toBe('0% packet loss')
  await Promise.all([west, east].map(({ node }) => nodeReady(node)))
})

test('a new authority of the other domain is followed, and the old one given up', { timeout: 180_000 }, async () => {
  const { spire } = east
  const before = await spire.bundle()
  const authority = async (...command: readonly string[]) => spire.ask('localauthority', 'x509', ...command)
  const prepared = idOf(await authority('prepare'))
  const old = idOf(await authority('show'))
  await federate()
  await authority('activate', '-authorityID', prepared)
  await authority('taint', '-authorityID', old)
  expect(await answers(reader, '-c', `${LIFETIME_SECONDS * 10}`)).toBe('0% packet loss')
  await authority('revoke', '-authorityID', old)
  await federate()
  const after = await spire.bundle()
  expect(after.includes(before.trim())).toBe(false)
  expect(await answers(reader, '-c', `${LIFETIME_SECONDS * 10}`)).toBe('0% packet loss')
  expect(await answers(await another('reader-2'), '-c', '20')).toBe('0% packet loss')
})

test('a federated bundle that does not vouch for the other domain ends the trust', { timeout: 120_000 }, async () => {
  await west.spire.federate('east', await west.spire.bundle())
  const isTrusted = async () => !(await must(nsmctl(west.registry, 'domain', 'list'))).includes('Cannot')
  await until('west to distrust east', async () => !(await isTrusted()), 60_000)
  await federate()
  await until('west to trust east again', isTrusted, 60_000)
  expect(await answers(await another('reader-3'), '-c', '20')).toBe('0% packet loss')
})

function idOf(output: string): string {
  const id = /Authority ID: (\w+)/.exec(output)?.[1]
  if (id === undefined) throw new Error(`there is no authority in: ${output}`)
  return id
}
