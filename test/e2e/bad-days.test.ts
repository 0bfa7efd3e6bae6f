/** Mistakes and refusals as the person at the terminal meets them: what, why, what next, and nothing half made. */
import { once } from 'node:events'
import { beforeAll, expect, test } from 'vitest'
import { kernelState, settledState } from '../lab/belongings.ts'
import { nsmctl, workloadEnvironment } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { NSMCTL } from '../lab/programs.ts'
import type { Outcome, Piped } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { serveService, startWorkload, type Workload } from '../lab/workload.ts'

const cluster = oneCluster(1)
let client: Workload
let server: Workload

beforeAll(async () => {
  const { lab, node } = cluster()
  client = await startWorkload(lab, node, 'client-1')
  server = await startWorkload(lab, node, 'server-1')
  serveService(lab, server, { service: 'files', cidr: '172.16.1.100/31' })
  await until('the endpoint', async () => (await nsmctl(node, 'get', 'endpoints')).stdout.includes('files'))
  await client.host.ip('link add taken type veth peer name taken-too')
  await Promise.all([settledState(client), settledState(server)])
}, 60_000)

function inClient(...args: readonly string[]): Promise<Outcome> {
  return client.host.tryRun([NSMCTL, ...args], { env: workloadEnvironment(client.node) })
}

/** `nsmctl request` of a wire as nsm-1; resolves once that stands, which it does for as long as the command runs. */
async function standingRequest(): Promise<Piped> {
  const env = workloadEnvironment(client.node)
  const asking = client.host.pipe([NSMCTL, 'request', 'kernel://files/nsm-1'], { env })
  await once(asking.stdout, 'data')
  return asking
}

test.each([
  ['a service that does not exist', 'kernel://nosuch/nsm-1', 1, /nosuch/],
  ['a domain that does not exist', 'kernel://files@nowhere/nsm-1', 1, /nowhere/],
  ['a name that is too long', `kernel://files/${'x'.repeat(16)}`, 2, /longer than 15 bytes/],
  ['an interface that is taken', 'kernel://files/taken', 1, /taken/],
  ['a URL that is none', 'files/nsm-1', 2, /kernel:\/\/service\/interface/],
  ['a mechanism that is none', 'memif://files/nsm-1', 2, /memif/],
])(
  '%s: nsmctl says so, and nothing is half made',
  async (_, url, code, text) => {
    const before = [await kernelState(client), await kernelState(server)]
    const outcome = await inClient('request', url)
    expect(outcome).toMatchObject({ code, stdout: '' })
    expect(outcome.stderr).toMatch(text)
    expect([await kernelState(client), await kernelState(server)]).toEqual(before)
    expect((await nsmctl(client.node, 'get', 'wires')).stdout.trim()).toBe('No wires.')
  },
  30_000,
)

test('an endpoint with nothing left refuses the second client and keeps the first', async () => {
  const first = await standingRequest()
  const second = await inClient('request', 'kernel://files/nsm-2')
  expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('none are free') })
  await client.host.run(['ping', '-c', '2', '-i', '0.05', '-W', '1', '172.16.1.100'])
  first.kill('SIGINT')
  expect((await once(first, 'exit'))[0]).toBe(0)
  expect((await client.host.tryRun(['ip', 'link', 'show', 'nsm-1'])).code).toBe(1)
}, 30_000)

test('a wire of somebody else is closed by the operator alone', async () => {
  const asking = await standingRequest()
  const [wire] = JSON.parse((await nsmctl(client.node, 'get', 'wires', '-o', 'json')).stdout)
  const close = [NSMCTL, 'close', wire.id]
  const env = workloadEnvironment(server.node)
  for (const strangers of [['setpriv', '--reuid=1234', '--clear-groups', ...close], close]) {
    expect(await server.host.tryRun(strangers, { env })).toMatchObject({ code: 5 })
  }
  asking.kill('SIGKILL')
  expect(await nsmctl(client.node, 'close', wire.id)).toMatchObject({ code: 0 })
  expect((await nsmctl(client.node, 'get', 'wires')).stdout.trim()).toBe('No wires.')
  expect(await nsmctl(client.node, 'close', wire.id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('next:'),
  })
}, 30_000)

test('a registry that is away: new names wait and say so, status names it with what to do next', async () => {
  const { node, registry } = cluster()
  process.kill(registry.service.pid, 'SIGSTOP')
  try {
    const outcome = await inClient('request', 'kernel://unheard-of/nsm-1', '--timeout', '2s')
    expect(outcome.code).toBe(4)
    const problem = async () => (await nsmctl(node, 'status')).stdout
    await until('status to name it', async () => /(bad|warn) +registry:.*\n +next: /.test(await problem()), 30_000)
  } finally {
    process.kill(registry.service.pid, 'SIGCONT')
  }
  await until('the node to be well again', async () => (await nsmctl(node, 'status')).code === 0)
}, 60_000)

test('nobody at the socket: nsmctl says whom it looked for, and exits with 4', async () => {
  const env = { NSM_CONNECT_TO: 'unix:///nowhere/nsm.sock', SPIFFE_ENDPOINT_SOCKET: 'unix:///nowhere/agent.sock' }
  const outcome = await client.host.tryRun([NSMCTL, 'get', 'wires'], { env })
  expect(outcome).toMatchObject({ code: 4, stderr: expect.stringContaining('/nowhere/agent.sock') })
  expect(outcome.stderr).toContain('next:')
})
