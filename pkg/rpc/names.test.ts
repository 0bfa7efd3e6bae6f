/** Channels to a name, with a resolver of the test's own in place of the machine's. */
import { spawn } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { isAway, systemClock } from '../base/index.ts'
import type { Authority } from '../identity/index.ts'
import { networkServiceClient } from './nsm-clients.ts'
import { echoService, newAuthority, newSource, openChannel, request, soon, startServer } from './testing/rpc-fixture.ts'

const NAME = 'registry.west.test'

let authority: Authority
beforeAll(async () => {
  authority = await newAuthority()
})

/** What {@link NAME} leads to, until the test ends. */
function hosts(address: string): { address: string } {
  const entry = { address }
  const { lookup } = dns.promises
  const ours = async (name: string) => {
    if (name !== NAME) throw new Error(`the test does not know ${name}`)
    return [{ address: entry.address, family: 4 }]
  }
  Object.assign(dns.promises, { lookup: ours })
  onTestFinished(() => void Object.assign(dns.promises, { lookup }))
  return entry
}

async function served(address: string) {
  const security = { identity: await newSource(authority, 'server') }
  return startServer({ security, services: [echoService().service], listen: address })
}

async function called(port: string) {
  const security = { identity: await newSource(authority, 'client') }
  return networkServiceClient(openChannel(`tcp://${NAME}:${port}`, { security }))
}

/** An address that takes no connection and refuses none: the queue of its socket is full, and nobody accepts. */
async function silent(port: string): Promise<string> {
  const host = '127.0.0.99'
  const script = `require('node:net').createServer().listen({port:${port},host:'${host}',backlog:1},()=>console.log('on'))`
  const process = spawn('node', ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(process.stdout, 'data')
  process.kill('SIGSTOP')
  const queued = Array.from({ length: 4 }, () => connect({ port: Number(port), host }).on('error', () => {}))
  onTestFinished(() => {
    for (const socket of queued) socket.destroy()
    process.kill('SIGKILL')
  })
  return host
}

async function answered(client: Awaited<ReturnType<typeof called>>, withinMs: number): Promise<number> {
  const startMs = systemClock.monotonicMs()
  for (;;) {
    try {
      await client.request(request, { signal: AbortSignal.timeout(1_000) })
      return systemClock.monotonicMs() - startMs
    } catch (error) {
      if (systemClock.monotonicMs() - startMs > withinMs) throw error
    }
  }
}

it('a name that leads elsewhere is followed when its former address refuses', async () => {
  const former = await served('tcp://127.0.0.1:0')
  const port = new URL(former.url).port
  const entry = hosts('127.0.0.1')
  const client = await called(port)
  await client.request(request, soon())
  await former.close()
  entry.address = '127.0.0.2'
  await served(`tcp://127.0.0.2:${port}`)
  expect(await answered(client, 5_000)).toBeLessThan(2_500)
})

it('a name whose address falls silent is looked up again within seconds', { timeout: 20_000 }, async () => {
  const { url } = await served('tcp://127.0.0.1:0')
  const { port } = new URL(url)
  const entry = hosts(await silent(port))
  const client = await called(port)
  const first = await client.request(request, { signal: AbortSignal.timeout(1_000) }).catch((error: unknown) => error)
  expect(isAway(first)).toBe(true)
  entry.address = '127.0.0.1'
  expect(await answered(client, 15_000)).toBeLessThan(6_000)
})
