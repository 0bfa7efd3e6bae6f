import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Call, workloadProto } from '../api/index.ts'
import { attestationOf } from '../api/testing/index.ts'
import { silentLogger, systemClock } from '../base/index.ts'
import { type Authority, type Identity, staticSource } from '../identity/index.ts'
import { edit } from '../identity/testing/index.ts'
import { prefaceMessage } from '../netlink/index.ts'
import { clientOf } from './client.ts'
import { serveHandovers } from './handover.ts'
import { networkServiceClient } from './nsm-clients.ts'
import { serve } from './serve.ts'
import {
  echoService,
  newAuthority,
  newIdentity,
  newSource,
  openChannel,
  request,
  soon,
  startServer,
} from './testing/rpc-fixture.ts'
import { workloadApiService } from './workload-api-server.ts'
import { workloadApiSource } from './workload-api-source.ts'

let authority: Authority
let directory: string

beforeAll(async () => {
  authority = await newAuthority()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsm-rpc-'))
  onTestFinished(() => rm(directory, { recursive: true }))
})

const attestation = attestationOf({ pid: 4711, cgroup: '/user.slice' })

/** Plays the holder: forwards each connection at `from` to `to`, after the preface that `greet` returns. */
async function splice(from: string, to: string, greet: (client: Socket, server: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const onward = connect(to)
    for (const socket of [client, onward]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
    client.once('close', () => onward.destroy())
    onward.once('close', () => client.destroy())
    greet(client, onward)
  })
  await new Promise<void>((resolve) => server.listen(from, () => resolve()))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
}

describe('a local caller', () => {
  async function deliveries(listener: string) {
    const { calls, service } = echoService()
    const handedOver = { security: { identity: await newSource(authority, 'node/n1') }, services: [service] }
    const nsm = await startServerWithoutListener(handedOver)
    const deliver = await serveHandovers({
      listen: `unix://${directory}/deliver.sock`,
      servers: new Map([['nsm', nsm]]),
      clock: systemClock,
      logger: silentLogger,
    })
    onTestFinished(() => deliver.close())
    await splice(`${directory}/nsm.sock`, `${directory}/deliver.sock`, (client, onward) => {
      onward.write(prefaceMessage({ ...attestation, listener }))
      client.pipe(onward).pipe(client)
    })
    const security = { identity: await newSource(authority, 'node/n1/uid/1000') }
    return { calls, client: networkServiceClient(openChannel(`unix://${directory}/nsm.sock`, { security })) }
  }

  it('is known by its certificate and the attestation of the kernel', async () => {
    const { calls, client } = await deliveries('nsm')
    await client.request(request, soon())
    expect(calls[0]?.peer).toMatchObject({ spiffeId: 'spiffe://east/node/n1/uid/1000', attestation })
  })

  it('at a socket without a server is refused', async () => {
    const { client } = await deliveries('other')
    await expect(client.request(request, soon())).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a local endpoint', () => {
  it('is reached through the holder, which attests it', async () => {
    const { service } = echoService()
    const url = `unix://${directory}/endpoint.sock`
    await startServer({ listen: url, security: { identity: await newSource(authority, 'nse') }, services: [service] })
    const asked: Buffer[] = []
    await splice(`${directory}/dial.sock`, `${directory}/endpoint.sock`, (client, onward) => {
      client.once('data', (dial) => {
        asked.push(Buffer.from(dial))
        client.write(prefaceMessage({ ...attestation, listener: '' }))
        client.pipe(onward).pipe(client)
      })
    })
    const security = { identity: await newSource(authority, 'node/n1') }
    const channel = openChannel(url, { security, via: { socket: `${directory}/dial.sock`, uid: undefined } })
    await expect(networkServiceClient(channel).request(request, soon())).resolves.toEqual(request.connection)
    expect(asked[0]?.includes(url)).toBe(true)
    expect(await channel.peer(soon().signal)).toMatchObject({ spiffeId: 'spiffe://east/nse', attestation })
  })
})

describe('the Workload API', () => {
  async function workloadApi(first: Identity) {
    const source = staticSource(first)
    const calls: Call[] = []
    const service = workloadApiService({
      async *watch(call) {
        calls.push(call)
        while (!call.signal.aborted) {
          yield source.current()
          await new Promise<void>((resolve) => {
            const stop = source.subscribe(() => done())
            const done = () => {
              stop()
              resolve()
            }
            call.signal.addEventListener('abort', done, { once: true })
          })
        }
      },
    })
    const url = `unix://${directory}/workload.sock`
    const server = await startServer({ listen: url, security: 'plaintext', services: [service] })
    return { source, server, url, calls, service }
  }

  async function openSource(url: string) {
    const source = await workloadApiSource({ url, clock: systemClock, logger: silentLogger, ...soon() })
    onTestFinished(() => source.close())
    return source
  }

  it('provides a working identity, and each renewed one', async () => {
    const first = await newIdentity(authority, 'node/n1/uid/1000')
    const { source, url } = await workloadApi(first)
    const got = await openSource(url)
    const { svid, bundles } = got.current()
    expect(svid.spiffeId).toBe('spiffe://east/node/n1/uid/1000')
    expect(svid.expiresMs).toBe(first.svid.expiresMs)
    expect(svid.privateKey.equals(first.svid.privateKey)).toBe(true)
    expect(Buffer.from(bundles.get('east')?.[0] ?? []).equals(Buffer.from(authority.certificate))).toBe(true)
    const west = await newAuthority('west')
    const wider = new Map([...first.bundles, ['west', [west.certificate]]])
    source.replace({ ...(await newIdentity(authority, 'node/n1/uid/1000')), bundles: wider })
    await expect.poll(() => [...got.current().bundles.keys()]).toEqual(['east', 'west'])
    expect(got.current().svid.privateKey.equals(first.svid.privateKey)).toBe(false)
  })

  it('trusts nothing of a federated domain whose bundle other verifiers cannot read, and all others', async () => {
    const first = await newIdentity(authority, 'a')
    const [north, west] = [await newAuthority('north'), await newAuthority('west')]
    const negative = edit(west.certificate, { serial: new Uint8Array([2, 1, 0xff]) })
    const bundles = new Map([...first.bundles, ['west', [negative]], ['north', [north.certificate]]])
    const { url } = await workloadApi({ ...first, bundles })
    const got = await openSource(url)
    const authorities = [...got.current().bundles].map(([domain, list]) => `${domain}: ${list.length}`)
    expect(authorities.sort()).toEqual(['east: 1', 'north: 1', 'west: 0'])
  })

  it('is called again when it is back, and the identity stays valid meanwhile', async () => {
    const { server, url, service, source } = await workloadApi(await newIdentity(authority, 'a'))
    const got = await openSource(url)
    await server.close()
    expect(got.current().svid.spiffeId).toBe('spiffe://east/a')
    source.replace(await newIdentity(authority, 'b'))
    await startServer({ listen: url, security: 'plaintext', services: [service] })
    await expect.poll(() => got.current().svid.spiffeId, { timeout: 5000 }).toBe('spiffe://east/b')
  })

  it('refuses callers without the required metadata', async () => {
    const { url, calls } = await workloadApi(await newIdentity(authority, 'a'))
    const client = clientOf(workloadProto.SpiffeWorkloadAPIService, openChannel(url, { security: 'plaintext' }))
    const stream = client.fetchX509Svid({}, soon())[Symbol.asyncIterator]()
    await expect(stream.next()).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(calls).toEqual([])
  })

  it('reports JWT-SVIDs as unimplemented', async () => {
    const { url } = await workloadApi(await newIdentity(authority, 'a'))
    const header = { 'workload.spiffe.io': 'true' }
    const client = clientOf(workloadProto.SpiffeWorkloadAPIService, openChannel(url, { security: 'plaintext' }), header)
    await expect(client.fetchJwtsvid({ audience: ['x'], spiffeId: '' }, soon())).rejects.toMatchObject({
      code: 'unimplemented',
    })
  })
})

describe('a unix listener', () => {
  it('replaces the socket of a dead process', async () => {
    const url = `unix://${directory}/stale.sock`
    const orphan = createServer()
    await new Promise<void>((resolve) => orphan.listen(`${directory}/other.sock`, () => resolve()))
    await rename(`${directory}/other.sock`, `${directory}/stale.sock`)
    await new Promise((resolve) => orphan.close(resolve))
    const server = await startServer({ listen: url, security: 'plaintext' })
    expect(server.url).toBe(url)
  })

  it('does not replace a file that is not a socket, nor a socket in use', async () => {
    await writeFile(`${directory}/file`, 'precious')
    await expect(startServer({ listen: `unix://${directory}/file`, security: 'plaintext' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
    await startServer({ listen: `unix://${directory}/live.sock`, security: 'plaintext' })
    await expect(startServer({ listen: `unix://${directory}/live.sock`, security: 'plaintext' })).rejects.toMatchObject(
      { code: 'failed_precondition' },
    )
  })
})

async function startServerWithoutListener(options: Parameters<typeof startServer>[0]) {
  const server = await serve({ services: [], clock: systemClock, logger: silentLogger, ...options })
  onTestFinished(() => server.close())
  return server
}
