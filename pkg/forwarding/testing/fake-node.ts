/**
 * For tests: a node in memory. Kernel, dataplane and disk outlive the forwarder, as the real ones outlive nsmd. Each
 * namespace has an eth0 with an address and a route that are none of our business: bystanders.
 */
import { createHash } from 'node:crypto'
import { type Clock, silentLogger, systemClock } from '../../base/index.ts'
import { FakeEngine, fakeDataplane } from '../../dataplane/testing/index.ts'
import {
  generateKey,
  type KernelEnd,
  type Role,
  underlaysOf,
  type WireguardEnd,
  type WireIntent,
} from '../../mechanism/index.ts'
import { wireguardEnd as makeWireguardEnd } from '../../mechanism/testing/index.ts'
import { FakeKernel, fakePlatform, type Intercept, passThrough } from '../../platform/testing/index.ts'
import { type Command, type Database, openDatabase, type Value } from '../../store/index.ts'
import { Forwarder, intentMigrations } from '../index.ts'

export const CLIENT_NS = 'inode://4/1001'
export const SERVER_NS = 'inode://4/1002'

const MAIN_TABLE = 254

const tunnel = {
  ip: '192.0.2.1',
  listenIp: '192.0.2.1',
  ports: { wireguard: 51_820, vxlan: 4789 },
  mtuBytes: 1500,
  nodeKey: generateKey(),
  aeads: () => [],
}

/** Called around each write to the disk; may throw. */
export type DiskHook = (at: 'before' | 'after') => void

export class FakeNode {
  readonly kernel = new FakeKernel()
  readonly engine = new FakeEngine(this.kernel)
  readonly clock: Clock
  onDiskWrite: DiskHook = () => {}
  readonly #disk: Database = openDatabase(':memory:', { application: 'fake node', migrations: intentMigrations })
  /** Of the running process: one that was killed writes nothing any more. */
  #incarnation = 0

  constructor(clock: Clock = systemClock) {
    this.clock = clock
    for (const namespace of [CLIENT_NS, SERVER_NS]) {
      this.kernel.addNamespace(namespace)
      this.kernel.addDevice(namespace, 'eth0', 'veth')
      const { addresses, routes } = this.kernel.namespace(namespace)
      addresses.push({ namespace, link: 'eth0', address: '192.0.2.9/24' })
      routes.push({ namespace, link: 'eth0', prefix: '0.0.0.0/0', via: '192.0.2.254', table: MAIN_TABLE })
    }
    for (const underlay of underlaysOf(tunnel)) this.engine.underlays.set(underlay.id, underlay)
  }

  /** A new process on the same disk, kernel and dataplane. */
  start(signal: AbortSignal = AbortSignal.timeout(15_000)): Promise<Forwarder> {
    this.#incarnation += 1
    return Forwarder.open(
      {
        database: this.#diskOf(this.#incarnation),
        platform: fakePlatform(this.kernel),
        dataplane: fakeDataplane(this.engine),
        clock: this.clock,
        logger: silentLogger,
        random: () => 0.5,
      },
      signal,
    )
  }

  /** From now on the running process is dead: nothing that it still does reaches the disk. */
  kill(): void {
    this.#incarnation += 1
  }

  inject(intercept: Intercept): void {
    this.kernel.intercept = intercept
    this.engine.intercept = intercept
  }

  heal(): void {
    this.inject(passThrough)
    this.onDiskWrite = () => {}
  }

  close(): void {
    this.#disk.close()
  }

  /** All that is on the node, for comparison, without what differs from run to run. */
  world(): unknown {
    const namespaces = [CLIENT_NS, SERVER_NS].map((id) => {
      const { links, addresses, routes, rules, neighbours } = this.kernel.namespace(id)
      const shown = [...links.values()].map(({ name, kind, alias, mtuBytes, isUp, peer }) => {
        return { name, kind, alias, mtuBytes, isUp, peer: peer?.link.name }
      })
      return { id, links: sorted(shown), ...sortedAll({ addresses, routes, rules, neighbours }) }
    })
    const { ports, crossConnects } = this.engine
    const made = { pins: this.kernel.pins, ports: ports.values(), crossConnects: crossConnects.values() }
    return { namespaces, ...sortedAll(made) }
  }

  /** Ids of the intents on disk. */
  stored(): string {
    return this.#disk
      .query('SELECT id FROM intents ORDER BY id', (row) => row.text('id'))
      .all()
      .join(' ')
  }

  get transcript(): readonly string[] {
    return [...this.kernel.transcript, ...this.engine.transcript]
  }

  #diskOf(incarnation: number): Database {
    const disk = this.#disk
    const run = (command: Command, values: Value[]) => {
      if (this.#incarnation !== incarnation) throw new Error('the process is dead')
      this.onDiskWrite('before')
      const changes = command.run(...values)
      this.onDiskWrite('after')
      return changes
    }
    return {
      query: (sql, read) => disk.query(sql, read),
      command: (sql) => {
        const command = disk.command(sql)
        return { run: (...values) => run(command, values) }
      },
      transaction: (body) => disk.transaction(body),
      problem: '',
      onProblem: () => () => {},
      close: () => {},
    }
  }
}

function sorted(values: Iterable<unknown>): readonly string[] {
  // Which number a policy's table has depends on what was there before.
  const number = (name: string, value: unknown) => (name === 'table' && value !== MAIN_TABLE ? 'policy' : value)
  return [...values].map((value) => JSON.stringify(value, number)).sort()
}

function sortedAll(values: Readonly<Record<string, Iterable<unknown>>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, sorted(list)]))
}

/** A wire whose id ends with a number has addresses of its own. */
export function localWire(id: string, changes: Partial<WireIntent> = {}): WireIntent {
  const { client, server } = hosts(id)
  return {
    id,
    payload: 'IP',
    mtuBytes: 9000,
    client: workload('client', `c-${id}`, [`${client}/32`, `fd00::${client}/128`]),
    server: workload('server', `s-${id}`, [`${server}/32`, `fd00::${server}/128`]),
    clientPrefixes: [`${client}/32`, `fd00::${client}/128`],
    serverPrefixes: [`${server}/32`, `fd00::${server}/128`],
    ...changes,
  }
}

export function remoteWire(id: string, changes: Partial<WireIntent> = {}): WireIntent {
  const { client, server, behind } = hosts(id)
  return {
    id,
    payload: 'IP',
    mtuBytes: 1440,
    client: {
      ...workload('client', `c-${id}`, [`${client}/32`]),
      routes: [
        { prefix: behind, via: server },
        { prefix: `${server}/32`, via: undefined },
      ],
      policies: [{ from: `${client}/32`, proto: 'tcp', dstPort: '80', srcPort: '', routes: [] }],
    },
    server: wireguardEnd(id),
    clientPrefixes: [`${client}/32`],
    serverPrefixes: [`${server}/32`, behind],
    ...changes,
  }
}

export function vxlanWire(id: string, changes: Partial<WireIntent> = {}): WireIntent {
  const { client, server } = hosts(id)
  return {
    id,
    payload: 'ETHERNET',
    mtuBytes: 1446,
    client: { kind: 'vxlan', role: 'client', vni: 2 + numberOf(id), peer: { ip: '192.0.2.2', port: 4789 } },
    server: workload('server', `s-${id}`, [`${server}/24`]),
    clientPrefixes: [`${client}/32`],
    serverPrefixes: [`${server}/32`],
    ...changes,
  }
}

/** Each wire has a peer key of its own, as the engine demands. */
export function wireguardEnd(id: string, role: Role = 'server'): WireguardEnd {
  return makeWireguardEnd(role, {
    privateKey: keyOf(`${id} ours`),
    peerResponderKey: keyOf('node'),
    peerInitiatorKey: keyOf(`${id} theirs`),
    peer: { ip: '192.0.2.2', port: 51_820 },
    aead: 'aes256gcm',
    probeMessages: true,
  })
}

function keyOf(seed: string): string {
  return createHash('sha256').update(seed).digest('base64')
}

function hosts(id: string): { client: string; server: string; behind: string } {
  const number = numberOf(id)
  const net = `${number >> 8}.${number & 255}`
  return { client: `10.${net}.1`, server: `10.${net}.2`, behind: `11.${net}.0/24` }
}

function numberOf(id: string): number {
  return Number(/\d+$/.exec(id)?.[0] ?? 0)
}

function workload(role: Role, interfaceName: string, addresses: readonly string[]): KernelEnd {
  const namespace = role === 'client' ? CLIENT_NS : SERVER_NS
  return { kind: 'kernel', role, namespace, interfaceName, addresses, routes: [], policies: [] }
}
