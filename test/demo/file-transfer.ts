/** A big random file, served by a real HTTP server in one cluster and fetched in the other. */
import { createHash, randomFillSync } from 'node:crypto'
import { closeSync, createReadStream, openSync, readSync, statSync, writeSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { Lab } from '../lab/lab.ts'
import { until } from '../lab/until.ts'
import type { Workload } from '../lab/workload.ts'

const CHUNK_BYTES = 1024 * 1024
const PORT = 8000
export const ENDPOINT_IP = '172.16.1.100'
export const CLIENT_IP = '172.16.1.101'

export interface Transfer {
  readonly bytes: number
  readonly sha256Match: boolean
  readonly seconds: number
}

export interface ServedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  /** The file's first bytes: whoever sees these on the internet has seen plaintext. */
  readonly head: Buffer
}

/** Makes the file in memory-backed storage and serves it with python3's HTTP server in the workload. */
export async function serveFile(lab: Lab, server: Workload, megabytes: number): Promise<ServedFile> {
  const folder = lab.folder('www')
  const path = `${folder}/file.bin`
  writeRandom(path, megabytes)
  const head = Buffer.alloc(64)
  const file = openSync(path, 'r')
  readSync(file, head, 0, head.length, 0)
  closeSync(file)
  const command = ['python3', '-m', 'http.server', `${PORT}`, '--directory', folder]
  server.host.start(command, `${lab.directory}/http.log`)
  const probe = ['curl', '-sf', '-o', '/dev/null', '-I', `http://127.0.0.1:${PORT}/`]
  await until('the HTTP server', async () => (await server.host.tryRun(probe)).code === 0)
  return { path, bytes: statSync(path).size, sha256: await sha256(path), head }
}

export async function fetchFile(lab: Lab, client: Workload, served: ServedFile): Promise<Transfer> {
  const target = `${lab.folder('fetched')}/file.bin`
  const startMs = Date.now()
  const url = `http://${ENDPOINT_IP}:${PORT}/file.bin`
  await client.host.run(['curl', '-sSf', '--max-time', '60', '-o', target, url], { timeoutMs: 65_000 })
  const seconds = (Date.now() - startMs) / 1000
  const bytes = statSync(target).size
  return { bytes, sha256Match: bytes === served.bytes && (await sha256(target)) === served.sha256, seconds }
}

function writeRandom(path: string, megabytes: number): void {
  const file = openSync(path, 'w', 0o644)
  const chunk = Buffer.alloc(CHUNK_BYTES)
  for (let written = 0; written < megabytes; written++) writeSync(file, randomFillSync(chunk))
  closeSync(file)
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash)
  return hash.digest('hex')
}
