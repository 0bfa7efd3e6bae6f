/** How long a connection lasts: what its token says, and what the node allows, never what a header says. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseToken } from '../../pkg/identity/index.ts'
import { signToken } from '../../pkg/identity/token.ts'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'

const sandbox = new Sandbox()
let node: SandboxNode
let attacker: Workload

beforeAll(async () => {
  node = await (await sandbox.domain('west')).node('n1')
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  attacker = await node.workload()
})
afterAll(() => sandbox.close())

const YEAR_9999_MS = Date.parse('9999-12-31T23:59:59Z')
const NODES_MS = 600_000

test.each([
  ['a header of the year 9999', 60_000],
  ['a token of the year 9999', YEAR_9999_MS - Date.now()],
])('%s does not make a wire last longer than the node allows', async (_, signedMs) => {
  const { svid } = attacker.identity.current()
  const { spiffeId } = await attacker.channel.peer(AbortSignal.timeout(5_000))
  const signed = Date.now() + signedMs
  const jwt = signToken(svid, { audience: spiffeId, expiresMs: signed })
  attacker.forge({ jwt, expiresMs: YEAR_9999_MS })
  const wire = await attacker.request('kernel://files/nsm-1')
  const allowedMs = Math.min(parseToken(jwt).expiresMs, Date.now() + NODES_MS)
  expect(wire.path.segments[0]?.expiresMs).toBeLessThanOrEqual(allowedMs)
  expect(wire.path.segments[0]?.expiresMs).toBeGreaterThan(Date.now())
  await attacker.closeWire(wire)
})
