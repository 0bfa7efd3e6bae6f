/**
 * Wires come and go ten a second, something breaks all the time, and afterwards nothing is lost and nothing is left.
 * Longer ones: NSM_SOAK_SECONDS=600 ./hack/test soak, or an hour. NSM_SOAK_SEED repeats one.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { nodeV1 } from '../../pkg/api/index.ts'
import { type ProcessState, processStates, settledState } from '../lab/belongings.ts'
import { type Node, nodeReady, nsmctl, workloadEnvironment } from '../lab/cluster.ts'
import { Lab } from '../lab/lab.ts'
import { residentKib } from '../lab/processes.ts'
import { ROOT } from '../lab/programs.ts'
import { until } from '../lab/until.ts'
import type { Tally } from './client.ts'
import { FAULTS, type Pick } from './faults.ts'
import { buildSoakMesh, registered, type SoakMesh } from './mesh.ts'
import { probe } from './probe.ts'
import { seededRandom } from './random.ts'

const SECONDS = Number(process.env['NSM_SOAK_SECONDS'] ?? 60)
const SEED = Number(process.env['NSM_SOAK_SEED'] ?? Date.now() % 1_000_000)
const A_SECOND = 10
const FAULT_EVERY_MS = Math.min(30_000, (SECONDS * 1_000) / (2 * FAULTS.length))
/** A cut of two seconds, and a second to heal; twice that on a machine that does much else. */
const LONGEST_GAP_MS = 6_000
const SETTLE_MS = 30_000
/** Of all processes of a name together. What has not been restarted has warmed up meanwhile. */
const MOST_GROWTH_BYTES = 48 * 1024 * 1024

let lab: Lab
let mesh: SoakMesh

beforeAll(async () => {
  lab = await Lab.create()
  mesh = await buildSoakMesh(lab)
}, 120_000)
afterAll(() => lab.close(), 60_000)

test(
  `${SECONDS} s of wires that come and go while something breaks, seed ${SEED}`,
  async () => {
    await churn(5) // so that every cache is warm
    const before = await whatStands()
    const probes = await Promise.all(mesh.keeping.map(probe))
    const stop = new AbortController()
    const [breaking, watching] = [breakThings(stop.signal), watchUniqueness(stop.signal)]
    const tally = await churn(SECONDS)
    stop.abort()
    const [struck, doubles] = await Promise.all([breaking, watching])
    const gaps = await Promise.all(probes.map((end) => end()))
    console.log(JSON.stringify({ seed: SEED, struck, tally, gaps }))

    expect.soft(doubles, 'wires with the interface or the address of another one').toEqual([])
    expect.soft(tally.lost, 'wires that could not be opened or closed').toEqual([])
    expect.soft(tally.closed).toBe(tally.opened)
    for (const { longestMs } of gaps) expect.soft(longestMs, 'without an answer').toBeLessThan(LONGEST_GAP_MS)
    await Promise.all(mesh.nodes.map(nodeReady))
    await until('the closed wires to be gone', async () => (await allWires()).length === KEPT, SETTLE_MS).catch(
      () => {},
    )
    expect.soft(await allWires(), 'the kept wires alone').toHaveLength(KEPT)
    const after = await whatStands()
    expect.soft({ ...after, processes: undefined }).toEqual({ ...before, processes: undefined })
    for (const [name, { descriptors, bytes }] of after.processes) {
      const then = before.processes.get(name)
      const most = (then?.descriptors ?? 0) + ONE_EACH
      expect.soft(descriptors, `descriptors of all: ${name}`).toBeLessThanOrEqual(most)
      expect.soft(bytes - (then?.bytes ?? 0), `growth of all: ${name}`).toBeLessThan(MOST_GROWTH_BYTES)
    }
  },
  (SECONDS + 180) * 1_000,
)

/** A holder starts the threads that remove links with the first removal: one descriptor on each of the four nodes. */
const ONE_EACH = 4
/** A kept wire is shown by the two nodes that it joins. */
const KEPT = 4

async function churn(seconds: number): Promise<Tally> {
  const script = [process.execPath, `${ROOT}/test/soak/client.ts`, 'files@east', `${seconds}`, `${A_SECOND}`]
  const child = mesh.churning.host.pipe(script, { env: workloadEnvironment(mesh.churning.node) })
  const ended = once(child, 'exit')
  let last = ''
  for await (const line of createInterface({ input: child.stdout })) last = line
  await ended
  return JSON.parse(last)
}

/** @returns what struck, in order */
async function breakThings(signal: AbortSignal): Promise<readonly string[]> {
  const random = seededRandom(SEED)
  const pick: Pick = (from) => from[Math.floor(random() * from.length)] as (typeof from)[number]
  const struck: string[] = []
  const startMs = performance.now()
  while (!signal.aborted) {
    const fault = pick(FAULTS)
    struck.push(`${Math.round((performance.now() - startMs) / 100) / 10} s: ${fault.name}`)
    const nextMs = performance.now() + FAULT_EVERY_MS
    await fault.strike(mesh, pick)
    while (!signal.aborted && performance.now() < nextMs) await pause(100)
  }
  return struck
}

/** No two wires that stand have one interface of a namespace, or one address of an endpoint. */
async function watchUniqueness(signal: AbortSignal): Promise<readonly string[]> {
  const doubles = new Set<string>()
  while (!signal.aborted) {
    for (const node of mesh.nodes) {
      const wires = await wiresOf(node).catch(() => [])
      for (const double of twice(wires.flatMap(holdings))) doubles.add(`${node.name}: ${double}`)
    }
    await pause(1_000)
  }
  return [...doubles]
}

function holdings({ client, server, endpoint, clientAddresses, remoteDomain }: nodeV1.Wire): readonly string[] {
  const ends = [client, server].flatMap((end) => (end?.interface ? [`${end.namespace} ${end.interface}`] : []))
  return [...ends, ...clientAddresses.map((address) => `${endpoint}@${remoteDomain} ${address}`)]
}

function twice(all: readonly string[]): readonly string[] {
  return all.filter((each, index) => all.indexOf(each) !== index)
}

async function whatStands() {
  const processes = new Map<string, ProcessState>()
  // Of all nodes together: a wire may have found the endpoint of another node.
  const add = (name: string, { descriptors, bytes }: ProcessState) => {
    const sum = processes.get(name) ?? { descriptors: 0, bytes: 0 }
    processes.set(name, { descriptors: sum.descriptors + descriptors, bytes: sum.bytes + bytes })
  }
  for (const node of mesh.nodes) for (const [name, state] of await processStates(node)) add(name, state)
  for (const { service } of mesh.registries) {
    add('registry', { descriptors: 0, bytes: residentKib(service.pid) * 1_024 })
  }
  return {
    kernel: await settledState(mesh.churning),
    kept: await Promise.all(mesh.keeping.map(({ host }) => host.linkNames())),
    // A wire may have found the other endpoint.
    served: (await Promise.all(mesh.serving.map(({ host }) => host.linkNames()))).flat().length,
    endpoints: await Promise.all(mesh.nodes.map(registered)),
    processes,
  }
}

async function allWires(): Promise<readonly nodeV1.Wire[]> {
  return (await Promise.all(mesh.nodes.map(wiresOf))).flat()
}

async function wiresOf(node: Node): Promise<readonly nodeV1.Wire[]> {
  const { stdout, stderr, code } = await nsmctl(node, 'get', 'wires', '-o', 'json')
  if (code !== 0) throw new Error(`nsmctl get wires: ${stderr}`)
  return JSON.parse(stdout)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
