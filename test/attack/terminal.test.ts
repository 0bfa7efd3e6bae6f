/** Texts that others have chosen, on their way to the terminal of an operator. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { domainV1, nodeV1 } from '../../pkg/api/index.ts'
import { isPrintable, NsmError, systemClock } from '../../pkg/base/index.ts'
import { runCli } from '../../pkg/cli/index.ts'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import { attacks } from './attacks.ts'

/** Clears the screen by C0 and by C1, sets the title, turns the direction of text, and begins a line of its own. */
const EVIL = 'x\u001b[2J\u009b2J\u001b]0;t\u0007\u202egpj.exe\u2066\u200f\nok    everything\u2028y'

const WIRE = nodeV1.Wire.fromPartial({ id: EVIL, networkService: EVIL, state: EVIL, problem: EVIL, path: [EVIL, EVIL] })
const STATUS = nodeV1.NodeStatus.fromPartial({
  name: EVIL,
  domain: EVIL,
  listen: [EVIL],
  conditions: [{ name: EVIL, problem: EVIL, next: EVIL }],
})
const DOMAIN = domainV1.Domain.fromPartial({ name: EVIL, addresses: [EVIL], exportedServices: [EVIL], problem: EVIL })

async function printed(args: string, error?: NsmError): Promise<readonly string[]> {
  const out: string[] = []
  const print = (text: string) => void out.push(...text.split('\n'))
  const fail =
    <T>(value: T) =>
    async () => {
      if (error !== undefined) throw error
      return value
    }
  const node = { wires: fail([WIRE]), status: fail(STATUS) }
  const admin = { domains: fail([DOMAIN]) }
  const mesh: unknown = { node: async () => node, admin: async () => admin, close: async () => {} }
  const terminal = { print, read: async () => '', signal: AbortSignal.abort(), isColoured: false }
  await runCli(args.split(' '), { mesh: mesh as never, terminal, clock: systemClock, printError: print })
  return out
}

describe('nsmctl prints text of others as text', () => {
  test.each([
    'get wires',
    'get wires -o wide',
    'get wires -o json',
    'get wires -o yaml',
    'status',
    'status -o json',
    'get domains',
    'get domains -o yaml',
  ])('in %s', async (command) => {
    const lines = await printed(command)
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(isPrintable(line), JSON.stringify(line)).toBe(true)
    if (command === 'get wires') expect(lines).toHaveLength(2)
    if (command === 'status') expect(lines.filter((line) => line.startsWith('ok'))).toEqual([])
    if (command.endsWith('json')) expect(JSON.stringify(JSON.parse(lines.join('\n')))).toContain('gpj.exe')
  })

  test('in an error', async () => {
    const error = new NsmError('unavailable', EVIL, { fields: { service: EVIL }, next: EVIL })
    const lines = await printed('get wires', error)
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(isPrintable(line), JSON.stringify(line)).toBe(true)
  })
})

describe('names in a path', () => {
  const sandbox = new Sandbox()
  let node: SandboxNode
  beforeAll(async () => {
    node = await (await sandbox.domain('west')).node('n1')
    await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  })
  afterAll(() => sandbox.close())

  attacks('that nobody sees', () =>
    ['client\u202e', 'client\u009b2J', 'cli\u200bent'].map((name) => ({
      name: JSON.stringify(name),
      run: async () => {
        const client = await node.workload()
        const path = { index: 0, segments: [{ name, id: 'c', token: '', expiresMs: undefined, metrics: {} }] }
        return client.request('kernel://files/nsm-1', { id: 'c', path })
      },
      denied: { code: 'invalid_argument', text: /characters that nobody sees/ },
      world: async () => node.writes.length,
    })),
  )
})
