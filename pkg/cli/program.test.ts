import { once } from 'node:events'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Connection, domainV1, nodeV1 } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import type { AdminApi, Mesh, NodeApi } from './mesh.ts'
import { runCli } from './program.ts'

const clock = new FakeClock()
const seconds = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 })

const WIRE = nodeV1.Wire.fromPartial({
  id: '3f1c',
  networkService: 'files@east',
  client: { mechanism: 'KERNEL', interface: 'nsm-1' },
  server: {
    mechanism: 'WIREGUARD',
    peer: '203.0.113.21:51820',
    aead: 'aes256gcm',
    session: 'established',
    path: { state: 'up', rttUs: 12_340, jitterUs: 420, lossPpm: 15_000, mtuBytes: 1240 },
  },
  state: 'up',
  clientAddresses: ['172.16.1.101/32'],
  endpointAddresses: ['172.16.1.100/32'],
  path: ['reader-1', 'west-1', 'east-1', 'files-1'],
  counters: new Map([
    ['server_rx_bytes', 3_145_728n],
    ['server_rx_replay', 0n],
  ]),
  mtuBytes: 1440,
  payload: 'ETHERNET',
  expires: seconds(clock.nowMs() + 512_000),
})

interface Parts {
  readonly node?: Partial<NodeApi>
  readonly admin?: Partial<AdminApi>
  /** On standard input. */
  readonly input?: string
}

async function cli(args: string, parts: Parts = {}) {
  const out: string[] = []
  const errors: string[] = []
  let closed = 0
  const mesh: Mesh = {
    node: async () => ({ ...absent<NodeApi>(), ...parts.node }),
    admin: async () => ({ ...absent<AdminApi>(), ...parts.admin }),
    close: async () => {
      closed += 1
    },
  }
  const terminal = {
    print: (text: string) => void out.push(text),
    read: async () => parts.input ?? '',
    signal: AbortSignal.abort(),
    isColoured: false,
  }
  const printError = (text: string) => void errors.push(text)
  const code = await runCli(args.split(' '), { mesh, terminal, clock, printError })
  expect(closed).toBe(1)
  return { code, out: out.join('\n'), errors: errors.join('\n') }
}

/** Calls that a test does not provide must not be made. */
function absent<T extends object>(): T {
  return {} as T
}

test('get wires prints a table, and more columns when wide', async () => {
  const node = { wires: async () => [WIRE] }
  const { out, code } = await cli('get wires', { node })
  const [title, row] = out.split('\n')
  expect(title?.split(/ {2,}/)).toEqual(['ID', 'SERVICE', 'CLIENT', 'ENDPOINT', 'ADDRESSES', 'STATE', 'PROBLEM'])
  expect(row).toBe(
    '3f1c  files@east  kernel nsm-1  wireguard 203.0.113.21:51820 aes256gcm established  172.16.1.101/32 - 172.16.1.100/32  up     -',
  )
  expect(code).toBe(0)
  const wide = await cli('get wires -o wide', { node })
  expect(wide.out).toContain('reader-1 > west-1 > east-1 > files-1')
  expect(wide.out).toContain('3.0 MiB')
  expect(wide.out).toContain('ETHERNET')
  expect(wide.out).toContain('8m32s')
  expect(wide.out).toContain('12.3 ms +-0.4, 1.5 % lost, 1240 bytes')
})

test('get wires says since when a wire is wanted, and when it is asked for again', async () => {
  const { nowMs } = { nowMs: clock.nowMs() }
  const pending = nodeV1.PendingWire.fromPartial({
    since: seconds(nowMs - 42_000),
    tries: 9,
    lastTry: seconds(nowMs - 1_000),
    nextTry: seconds(nowMs + 4_000),
  })
  const wanted = nodeV1.Wire.fromPartial({ id: 'app-0', state: 'pending', problem: 'no endpoint serves it', pending })
  const { out } = await cli('get wires', { node: { wires: async () => [wanted] } })
  expect(out).toContain('pending  no endpoint serves it (for 42s, asked 9 times, again in 4s)')
})

test.each([
  ['up', 0],
  ['connecting', 0],
  ['unconfirmed', 0],
  ['down', 3],
  ['pending', 3],
])('get wires ends with the status of a node whose wire is %s', async (state, status) => {
  expect((await cli('get wires', { node: { wires: async () => [WIRE, { ...WIRE, state }] } })).code).toBe(status)
})

test('get prints the same as JSON and YAML', async () => {
  const node = { wires: async () => [WIRE] }
  const json = JSON.parse((await cli('get wires -o json', { node })).out)
  expect(json).toMatchObject([
    { id: '3f1c', counters: { server_rx_bytes: 3_145_728 }, expires: new Date(clock.nowMs() + 512_000).toISOString() },
  ])
  expect(parse((await cli('get wires -o yaml', { node })).out)).toEqual(json)
})

test('describe takes a prefix of an id, and reports one that matches nothing or several', async () => {
  const node = { wires: async () => [WIRE, { ...WIRE, id: '3f2d' }] }
  expect(JSON.parse((await cli('describe wire 3f1 -o json', { node })).out).id).toBe('3f1c')
  const { out } = await cli('describe wire 3f1', { node })
  expect(parse(out)).toMatchObject({ id: '3f1c', counters: { server_rx_bytes: 3_145_728 } })
  expect(out).not.toMatch(/replay|problem/)
  const none = await cli('describe wire 9', { node })
  expect(none).toMatchObject({ code: 1, errors: expect.stringContaining('there is none with this name') })
  expect(none.errors).toContain('next: list them with: nsmctl get wires')
  expect(await cli('describe wire 3f', { node })).toMatchObject({
    code: 2,
    errors: expect.stringContaining('the prefix is ambiguous'),
  })
})

test.each([
  [[], 0, 'ok    dataplane'],
  [[{ name: 'offloads', problem: 'udp_gso is off', next: '', warningOnly: true }], 3, 'warn  offloads: udp_gso is off'],
  [
    [{ name: 'registry', problem: 'unreachable', next: 'check its host', warningOnly: false }],
    1,
    'next: check its host',
  ],
])('status with %j exits with %d', async (broken, code, text) => {
  const conditions = [{ name: 'dataplane', problem: '', next: '', warningOnly: false }, ...broken]
  const status = nodeV1.NodeStatus.fromPartial({ name: 'west-1', domain: 'west', conditions })
  const result = await cli('status', { node: { status: async () => status } })
  expect(result.code).toBe(code)
  expect(result.out).toContain(text)
})

test.each([
  [new NsmError('unavailable', 'Cannot reach the node: nobody listens'), 4],
  [new NsmError('permission_denied', 'Cannot list wires: no sufficient privileges'), 5],
  [new NsmError('not_found', 'Cannot find it'), 1],
  [new Error('broken'), 1],
])('%s ends with exit status %d', async (error, code) => {
  const result = await cli('get wires', { node: { wires: () => Promise.reject(error) } })
  expect(result).toMatchObject({ code, errors: expect.stringContaining(error.message) })
})

test.each([
  '',
  'frobnicate',
  'get',
  'get wires -o xml',
  'get lamps',
  'describe wire',
  'domain invite east --lifetime soon',
  'domain invite',
])('`nsmctl %s` is a usage error', async (args) => {
  expect((await cli(args)).code).toBe(2)
})

test('--help exits with 0 and names the exit codes', async () => {
  expect(await cli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('4 unreachable') })
})

test('domain invite prints only the token', async () => {
  const asked: unknown[] = []
  const invite = async (domain: string, lifetimeMs: number) => {
    asked.push(domain, lifetimeMs)
    return { token: 'tok', expires: undefined }
  }
  expect(await cli('domain invite west --lifetime 5m', { admin: { invite } })).toMatchObject({ code: 0, out: 'tok' })
  expect(asked).toEqual(['west', 300_000])
})

test('domain join - reads the token from standard input', async () => {
  const tokens: string[] = []
  const join = async (token: string) => {
    tokens.push(token)
    return domainV1.Domain.fromPartial({ name: 'east', addresses: ['east.test:5002'] })
  }
  expect(await cli('domain join -', { admin: { join }, input: 'tok\n' })).toMatchObject({ code: 0 })
  expect(await cli('domain join -', { admin: { join }, input: '\n' })).toMatchObject({
    code: 2,
    errors: expect.stringContaining('there is no token on standard input'),
  })
  expect(tokens).toEqual(['tok'])
})

test('request closes its wire when it is interrupted', async () => {
  const closed: string[] = []
  let answered: Connection | undefined
  const networkServices: NodeApi['networkServices'] = {
    request: async ({ connection, mechanismPreferences }) => {
      answered = { ...connection, mechanism: mechanismPreferences[0] }
      return answered
    },
    close: async ({ id }) => void closed.push(id),
  }
  const monitor: NodeApi['monitor'] = {
    async *monitor(_, { signal }) {
      const connections = new Map(answered === undefined ? [] : [[answered.id, answered]])
      yield { type: 'INITIAL_STATE_TRANSFER', connections }
      await once(signal, 'abort')
    },
  }
  const result = await cli('request kernel://files/nsm-1', { node: { networkServices, monitor } })
  expect(result).toMatchObject({ code: 0, out: expect.stringContaining('nsm-1 is up') })
  expect(closed).toEqual([expect.stringMatching(/^nsmctl-/)])
})

test.each([
  ['get ', 'services'],
  ['describe w', 'wire'],
  ['close ', '3f1c'],
  ['domain ', 'invite'],
  ['get wires --o', '--output'],
])('completion of "%s" offers %s', async (line, candidate) => {
  const { out } = await cli(`__complete ${line}`, { node: { wires: async () => [WIRE] } })
  expect(out.split('\n')).toContain(candidate)
})
