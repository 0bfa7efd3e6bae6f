import { statSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { NsmError, silentLogger } from '../base/index.ts'
import { FakeClock } from '../base/testing/index.ts'
import type { PortStatus, WireguardPortStatus } from '../mechanism/index.ts'
import { wireguardPort } from '../mechanism/testing/index.ts'
import { listDevice, serveUapi } from './index.ts'
import { errno, MAX_REQUEST_BYTES, RequestReader, type Verdict } from './request.ts'

const NOW_MS = 1_700_000_000_500

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString('base64')

const { privateKey: _, ...port } = wireguardPort({
  id: 'w1:s',
  underlay: 'wireguard',
  privateKey: '',
  peerResponderKey: keyOf(2),
  peerInitiatorKey: keyOf(3),
  peer: { ip: '2001:db8::2', port: 51_820 },
  localPrefixes: ['172.16.1.101/32'],
  remotePrefixes: ['172.16.1.100/32', 'fd00::/127', '172.16.1.100/32'],
  mtuBytes: 1420,
  keepaliveSeconds: 10,
  probeMessages: true,
})
const wireguard: WireguardPortStatus = {
  ...port,
  publicKey: keyOf(1),
  session: 'established',
  handshakeAgeMs: 2_250,
  verdict: 'up',
  reason: '',
}

function listOf(...ports: readonly PortStatus[]): readonly string[] {
  const counters = new Map([['w1:s', new Map([['rx_bytes', 2n ** 40n]]).set('tx_bytes', 148n)]])
  const byId = new Map(ports.map((port) => [port.id, port]))
  return listDevice({ listenPort: 51_820, ports: byId, counters, nowMs: NOW_MS })
}

describe('listDevice', () => {
  it('lists a peer for every encrypted wire, and for no other port', () => {
    const tun: PortStatus = { id: 'w1:c', kind: 'tun', namespace: 'inode://4/7', interfaceName: 'nsm-1', ifindex: 2 }
    expect(listOf(tun, wireguard)).toEqual([
      'listen_port=51820',
      `public_key=${'03'.repeat(32)}`,
      'protocol_version=1',
      'endpoint=[2001:db8::2]:51820',
      'last_handshake_time_sec=1699999998',
      'last_handshake_time_nsec=250000000',
      'tx_bytes=148',
      'rx_bytes=1099511627776',
      'persistent_keepalive_interval=10',
      'allowed_ip=172.16.1.100/32',
      'allowed_ip=fd00::/127',
    ])
  })

  it('reports 0 without a handshake, and no endpoint if it is unknown', () => {
    const fresh = { ...wireguard, id: 'w2:s', handshakeAgeMs: undefined, peer: { ip: '0.0.0.0', port: 0 } }
    const lines = listOf(fresh)
    expect(lines).toContain('last_handshake_time_sec=0')
    expect(lines).toContain('last_handshake_time_nsec=0')
    expect(lines).toContain('rx_bytes=0')
    expect(lines.filter((line) => line.startsWith('endpoint'))).toEqual([])
  })

  it('has no peers without a wire', () => expect(listOf()).toEqual(['listen_port=51820']))
})

describe('RequestReader', () => {
  const cases: readonly (readonly [string, Verdict | undefined])[] = [
    ['get=1\n\n', 'get'],
    ['get=1\n', undefined],
    ['', undefined],
    ['set=1\n\n', errno.notPermitted],
    ['set=1\nprivate_key=00\nreplace_peers=true\n\n', errno.notPermitted],
    ['set=1\nprivate_key=00\n', undefined],
    ['set=1\nprivate_key\n\n', errno.invalid],
    ['set=1\n=\n', errno.invalid],
    ['get=1\npublic_key=00\n', errno.invalid],
    ['get=2\n', errno.invalid],
    ['get=1\r\n', errno.invalid],
    [' get=1\n', errno.invalid],
    ['\n', errno.invalid],
    ['GET / HTTP/1.1\r\n', errno.invalid],
  ]
  it.each(cases)('takes %j for %s', (text, verdict) => expect(new RequestReader().push(text)).toBe(verdict))

  it.each([
    ['a line without end', 'x'.repeat(MAX_REQUEST_BYTES + 1)],
    ['lines without end', `set=1\n${'a=b\n'.repeat(MAX_REQUEST_BYTES / 4)}`],
  ])('refuses %s', (_, text) => expect(new RequestReader().push(text)).toBe(errno.invalid))

  it('gives the same result for any chunks of the request', () => {
    const texts = fc.oneof(fc.constantFrom(...cases.map(([text]) => text)), fc.string())
    fc.assert(
      fc.property(texts, fc.array(fc.nat({ max: 40 })), (text, cuts) => {
        const reader = new RequestReader()
        const edges = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b)
        const pieces = edges.map((edge, index) => text.slice(edge, edges[index + 1]))
        const verdicts = pieces.map((piece) => reader.push(piece)).filter((verdict) => verdict !== undefined)
        expect(verdicts[0]).toBe(new RequestReader().push(text))
      }),
    )
  })
})

describe('serveUapi', () => {
  let path: string
  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nsm-uapi-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    path = join(directory, 'wireguard', 'nsmesh.sock')
  })

  async function serve(list: () => Promise<readonly string[]> = async () => listOf(wireguard)) {
    const clock = new FakeClock()
    const server = await serveUapi({ path, list, clock, logger: silentLogger })
    onTestFinished(() => server.close())
    return { server, clock }
  }

  /** A client, with everything that it receives until either side closes. */
  function open(): { readonly socket: Socket; readonly answer: Promise<string> } {
    const socket = connect({ path, allowHalfOpen: true }).setEncoding('utf8')
    onTestFinished(() => void socket.destroy())
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    const answer = new Promise<string>((resolve) => {
      for (const event of ['end', 'close']) socket.once(event, () => resolve(text))
    })
    return { socket, answer }
  }

  function ask(request: string): Promise<string> {
    const { socket, answer } = open()
    socket.write(request)
    return answer
  }

  it('answers get with the listing and errno=0, even after the client has shut down its sending side', async () => {
    await serve()
    const whole = `${listOf(wireguard).join('\n')}\nerrno=0\n\n`
    expect(await ask('get=1\n\n')).toBe(whole)
    const { socket, answer } = open()
    socket.end('get=1\n\n')
    expect(await answer).toBe(whole)
  })

  it.each([
    ['what would change the device', 'set=1\nlisten_port=1\n\n', 'errno=-1\n\n'],
    ['what is no request', 'get=1\nx\n', 'errno=-22\n\n'],
    ['a request without end', 'x'.repeat(2 * MAX_REQUEST_BYTES), 'errno=-22\n\n'],
  ])('refuses %s with the errno only', async (_, request, refusal) => {
    await serve()
    expect(await ask(request)).toBe(refusal)
  })

  it('refuses an incomplete request', async () => {
    await serve()
    const { socket, answer } = open()
    socket.end('get=1\n')
    expect(await answer).toBe('errno=-22\n\n')
  })

  it('answers EIO while the dataplane is unreachable', async () => {
    await serve(() => Promise.reject(new NsmError('unavailable', 'Cannot reach the dataplane')))
    expect(await ask('get=1\n\n')).toBe('errno=-5\n\n')
  })

  it('disconnects a client that is silent or too slow', async () => {
    const { clock } = await serve(() => new Promise(() => {}))
    const [silent, waiting] = [open(), open()]
    waiting.socket.write('get=1\n\n')
    await expect.poll(() => clock.pending).toBe(3)
    await clock.advance(5_000)
    expect([await silent.answer, await waiting.answer].join('')).not.toContain('errno=0')
  })

  it('serves sixteen clients at a time, and the next one when one has left', async () => {
    const { clock } = await serve()
    const clients = Array.from({ length: 16 }, open)
    await expect.poll(() => clock.pending).toBe(16)
    expect(await ask('get=1\n\n')).toBe('')
    clients[0]?.socket.destroy()
    await expect.poll(() => clock.pending).toBe(15)
    expect(await ask('get=1\n\n')).toContain('errno=0')
  })

  it('is accessible to its owner only, and leaves no socket behind', async () => {
    const { server } = await serve()
    const mode = (of: string) => statSync(of).mode & 0o777
    expect([mode(path), mode(join(path, '..'))]).toEqual([0o600, 0o700])
    await server.close()
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('replaces a stale socket, and nothing else', async () => {
    const { server } = await serve()
    await expect(serve()).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'Cannot listen on the address',
    })
    expect(await ask('get=1\n\n')).toContain('errno=0')
    await server.close()

    await leaveStaleSocket(path)
    const second = await serve()
    expect(await ask('get=1\n\n')).toContain('errno=0')
    await second.server.close()

    await writeFile(path, 'somebody wants this')
    await expect(serve()).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(statSync(path).isFile()).toBe(true)
  })

  it('reports what to do when its directory cannot be created', async () => {
    await writeFile(join(path, '..', '..', 'file'), '')
    path = join(path, '..', '..', 'file', 'nsmesh.sock')
    await expect(serve()).rejects.toMatchObject({ next: expect.stringContaining('NSM_UAPI_SOCKET') })
  })
})

/** The socket of a killed process: the file exists, but nobody listens. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve))
  await rename(`${path}.bound`, path)
  await new Promise((resolve) => server.close(resolve))
}
