/**
 * The holder's part in a test: sockets on which workloads reach their node, with the word of the "kernel" about who
 * connects, and the socket through which the node reaches endpoints. Speaks the real protocol; moves only bytes.
 */
import { mkdirSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Attestation } from '../../pkg/api/index.ts'
import { attestationOf } from '../../pkg/api/testing/index.ts'
import {
  Attributes,
  attributeType,
  decodeMessages,
  type GateCall,
  gateMessage,
  prefaceMessage,
  readAnswer,
  takeMessages,
} from '../../pkg/netlink/index.ts'

/** What the "kernel" says of a process: by default a user alone in its network namespace. */
export type Process = Partial<Attestation> & Pick<Attestation, 'uid' | 'namespace'>

/** Where a process runs, and the sockets that it sees. */
export interface WorkloadPlace {
  readonly directory: string
  readonly process: Attestation
  readonly nsmUrl: string
  readonly workloadUrl: string
}

export class TestHolder {
  readonly deliverPath: string
  readonly dialPath: string
  readonly #directory: string
  readonly #places: WorkloadPlace[] = []
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  #connections = 0n

  private constructor(directory: string) {
    this.#directory = directory
    this.deliverPath = join(directory, 'deliver.sock')
    this.dialPath = join(directory, 'dial.sock')
  }

  static async open(directory: string): Promise<TestHolder> {
    mkdirSync(directory, { recursive: true })
    const holder = new TestHolder(directory)
    await holder.#listen(holder.dialPath, (socket) => holder.#dial(socket))
    return holder
  }

  async place(process: Process): Promise<WorkloadPlace> {
    const directory = join(this.#directory, `w${this.#places.length}`)
    mkdirSync(directory)
    const nsm = join(directory, 'nsm.sock')
    const workload = join(directory, 'agent.sock')
    const urls = { nsmUrl: `unix://${nsm}`, workloadUrl: `unix://${workload}` }
    const place = { directory, process: attestationOf(process), ...urls }
    this.#places.push(place)
    await this.#listen(nsm, (socket) => this.#deliver(socket, 'nsm', place))
    await this.#listen(workload, (socket) => this.#deliver(socket, 'workload', place))
    return place
  }

  /** nsm-cni's part: what it is answered; empty: the pod may start. */
  async gate(call: GateCall): Promise<string> {
    const daemon = this.#track(connect(this.deliverPath))
    const process = attestationOf({ uid: 0, namespace: 'inode://4/1', isNodesOwn: true })
    daemon.write(this.#preface('cni', { process }))
    daemon.write(gateMessage(call))
    const chunks: Uint8Array[] = []
    daemon.on('data', (chunk) => chunks.push(chunk))
    await new Promise((resolve) => daemon.once('close', resolve))
    const [message] = decodeMessages(Buffer.concat(chunks))
    return (message && readAnswer(message)?.text) ?? 'no answer'
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #listen(path: string, accept: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => accept(this.#track(socket)))
    this.#servers.push(server)
    return new Promise((resolve) => server.listen(path, resolve))
  }

  #deliver(client: Socket, listener: string, place: WorkloadPlace): void {
    const daemon = this.#track(connect(this.deliverPath))
    daemon.write(this.#preface(listener, place))
    join2(client, daemon)
  }

  #dial(daemon: Socket): void {
    let seen = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk])
      const { messages, rest } = takeMessages(seen, { maxBytes: 65_536, limit: 1 })
      const [message] = messages
      if (message === undefined) return
      daemon.off('data', onData)
      daemon.pause()
      const path = (new Attributes(message.body).text(attributeType.url) ?? '').replace('unix://', '')
      const place = this.#places.find(({ directory }) => path.startsWith(`${directory}/`))
      const endpoint = this.#track(connect(path))
      if (place === undefined) return void daemon.destroy()
      endpoint.once('connect', () => {
        daemon.write(this.#preface('', place))
        endpoint.write(rest)
        join2(daemon, endpoint)
      })
      endpoint.once('error', () => daemon.destroy())
    }
    daemon.on('data', onData)
  }

  #preface(listener: string, { process }: Pick<WorkloadPlace, 'process'>): Uint8Array {
    this.#connections += 1n
    return prefaceMessage({ ...process, listener, connectionId: this.#connections })
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    return socket
  }
}

function join2(a: Socket, b: Socket): void {
  a.pipe(b)
  b.pipe(a)
  a.once('close', () => b.destroy())
  b.once('close', () => a.destroy())
}
