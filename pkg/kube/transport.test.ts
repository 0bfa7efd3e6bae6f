/** Against a real HTTPS server, with certificates of a real authority. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../base/index.ts'
import { Authority, createAuthorityMaterial, createKeyAndCsr } from '../identity/index.ts'
import { httpsTransport, type Transport } from './transport.ts'

interface Pair {
  readonly cert: string
  readonly key: string
}

let authorities: string
let server: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void
let transport: Transport
let connections = 0

const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`

async function issue(authority: Authority, path: string): Promise<Pair> {
  const { privateKey, csr } = await createKeyAndCsr()
  const { chain } = await authority.issue({ csr, spiffeId: `spiffe://test/${path}`, dnsNames: ['api'] })
  return { cert: chain.map(pem).join(''), key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() }
}

let client: Pair
beforeAll(async () => {
  const material = await createAuthorityMaterial('test', systemClock)
  const authority = new Authority(material, systemClock)
  authorities = pem(material.certificate)
  client = await issue(authority, 'client')
  const options = { ...(await issue(authority, 'api')), ca: authorities, requestCert: true, rejectUnauthorized: false }
  server = createServer(options, (request, response) => answer(request, response))
  server.on('secureConnection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => server.close())
afterEach(() => {
  transport.close()
  server.closeAllConnections()
})

function open(credentials: object = { token: 'secret' }, serverName = 'api'): void {
  const { port } = server.address() as AddressInfo
  const all = { authorities, ...credentials }
  transport = httpsTransport({
    server: `https://127.0.0.1:${port}/proxy/`,
    serverName,
    credentials: async () => all,
  })
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString()
}

const get = { method: 'GET', path: '/api/v1/pods' } as const
const never = () => new AbortController().signal

describe('httpsTransport', () => {
  test('sends the token, the body and its type', async () => {
    open()
    answer = async (request, response) => {
      const { url, headers } = request
      const body = await text(request)
      response.writeHead(201).end(JSON.stringify([url, headers.authorization, headers['content-type'], body]))
    }
    const { status, body } = await transport.exchange({ ...get, method: 'POST', body: '"ä"', signal: never() })
    expect(status).toBe(201)
    expect(JSON.parse(await text(body))).toEqual(['/proxy/api/v1/pods', 'Bearer secret', 'application/json', '"ä"'])
  })

  test('shows a client certificate', async () => {
    open({ certificate: client.cert, key: client.key })
    answer = ({ socket }, response) =>
      response.end(JSON.stringify('authorized' in socket ? socket.authorized : 'no TLS'))
    expect(await text((await transport.exchange({ ...get, signal: never() })).body)).toBe('true')
  })

  test('keeps its connections open, and gives each watch one of its own', async () => {
    open()
    answer = ({ url }, response) => (url?.includes('watch') ? response.write('{}\n') : response.end('{}'))
    const before = connections
    for (let count = 0; count < 5; count += 1) await text((await transport.exchange({ ...get, signal: never() })).body)
    expect(connections - before).toBe(1)
    const stop = new AbortController()
    const watch = { ...get, path: '/watch', isWatch: true, signal: stop.signal }
    for (let count = 0; count < 20; count += 1) await transport.exchange(watch)
    await text((await transport.exchange({ ...get, signal: never() })).body)
    expect(connections - before).toBe(21)
    stop.abort(new Error('done'))
  })

  test('believes no server that another authority vouches for, or that has another name', async () => {
    answer = (_, response) => response.end()
    open({}, 'other')
    await expect(transport.exchange({ ...get, signal: never() })).rejects.toMatchObject({ code: 'unavailable' })
    open({ authorities: pem((await createAuthorityMaterial('test', systemClock)).certificate) })
    await expect(transport.exchange({ ...get, signal: never() })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a server that is not there, and one that hangs up, are away', async () => {
    open()
    answer = (_, response) => response.destroy()
    await expect(transport.exchange({ ...get, signal: never() })).rejects.toMatchObject({ code: 'unavailable' })
    answer = (_, response) => {
      response.writeHead(200).write('{"half')
      setImmediate(() => response.destroy())
    }
    const { body } = await transport.exchange({ ...get, signal: never() })
    await expect(text(body)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('ends with the reason of its signal, before and after the answer has begun', async () => {
    open()
    answer = () => {}
    const [first, second] = [new AbortController(), new AbortController()]
    const call = transport.exchange({ ...get, signal: first.signal })
    first.abort(new Error('first'))
    await expect(call).rejects.toThrow('first')
    answer = (_, response) => response.writeHead(200).write('{}\n')
    const { body } = await transport.exchange({ ...get, isWatch: true, signal: second.signal })
    const reading = text(body)
    second.abort(new Error('second'))
    await expect(reading).rejects.toThrow('second')
  })
})
