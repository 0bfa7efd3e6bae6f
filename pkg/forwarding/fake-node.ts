/** A node in memory: a kernel and a dataplane that outlive the forwarder, as the real ones outlive nsmd. */
import type { WireIntent } from '../api/index.ts'
import { type Clock, silentLogger, systemClock } from '../base/index.ts'
import { FakeEngine, fakeDataplane } from '../dataplane/index.ts'
import { FakeKernel, fakePlatform, type Intercept, passThrough } from '../platform/index.ts'
import { type Database, openDatabase } from '../store/index.ts'
import { Forwarder, intentMigrations, VXLAN_UNDERLAY, WIREGUARD_UNDERLAY } from './index.ts'

export const CLIENT_NS = 'inode://4/1001'
export const SERVER_NS = 'inode://4/1002'
export const KEY = Buffer.alloc(32, 7).toString('base64')

export class FakeNode {
  readonly kernel = new FakeKernel()
  readonly engine = new FakeEngine(this.kernel)
  readonly #disk: Database = openDatabase(':memory:', { application: 'crash test', migrations: intentMigrations })
  readonly #clock: Clock
  /** A process that has crashed writes nothing any more. */
  #incarnation = 0

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
    for (const namespace of [CLIENT_NS, SERVER_NS]) this.kernel.addNamespace(namespace)
    const listen = { ip: '192.0.2.1', port: 51_820 }
    this.engine.underlays.set(WIREGUARD_UNDERLAY, { id: WIREGUARD_UNDERLAY, kind: 'wireguard', listen })
    this.engine.underlays.set(VXLAN_UNDERLAY, { id: VXLAN_UNDERLAY, kind: 'vxlan', listen: { ...listen, port: 4789 } })
  }

  /** A new process on the same disk, kernel and dataplane. */
  start(signal: AbortSignal = AbortSignal.timeout(15_000)): Promise<Forwarder> {
    this.#incarnation += 1
    return Forwarder.open(
      {
        database: this.#diskOf(this.#incarnation),
        platform: fakePlatform(this.kernel),
        dataplane: fakeDataplane(this.engine),
        clock: this.#clock,
        logger: silentLogger,
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
    const { ports, wires } = this.engine
    return { namespaces, ...sortedAll({ pins: this.kernel.pins, ports: ports.values(), wires: wires.values() }) }
  }

  get transcript(): readonly string[] {
    return [...this.kernel.transcript, ...this.engine.transcript]
  }

  #diskOf(incarnation: number): Database {
    const check = () => {
      if (this.#incarnation !== incarnation) throw new Error('the process is dead')
    }
    const disk = this.#disk
    return {
      query: (sql, read) => disk.query(sql, read),
      command: (sql) => {
        const command = disk.command(sql)
        return {
          run: (...values) => {
            check()
            return command.run(...values)
          },
        }
      },
      transaction: (body) => disk.transaction(body),
      close: () => {},
    }
  }
}

function sorted(values: Iterable<unknown>): readonly string[] {
  return [...values].map((value) => JSON.stringify(value)).sort()
}

function sortedAll(values: Readonly<Record<string, Iterable<unknown>>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, sorted(list)]))
}

export function localWire(id: string, changes: Partial<WireIntent> = {}): WireIntent {
  return {
    id,
    payload: 'IP',
    mtuBytes: 9000,
    client: workload(CLIENT_NS, `c-${id}`, ['172.16.1.101/32', 'fd00::101/128']),
    server: workload(SERVER_NS, `s-${id}`, ['172.16.1.100/32', 'fd00::100/128']),
    clientPrefixes: ['172.16.1.101/32', 'fd00::101/128'],
    serverPrefixes: ['172.16.1.100/32', 'fd00::100/128'],
    ...changes,
  }
}

export function remoteWire(id: string, changes: Partial<WireIntent> = {}): WireIntent {
  return {
    id,
    payload: 'IP',
    mtuBytes: 1440,
    client: {
      ...workload(CLIENT_NS, `c-${id}`, ['172.16.1.101/32']),
      routes: [
        { prefix: '172.16.1.100/32', via: undefined },
        { prefix: '10.0.0.0/8', via: '172.16.1.100' },
      ],
      policies: [{ from: '172.16.1.101/32', proto: 'tcp', dstPort: '80', srcPort: '', routes: [] }],
    },
    server: {
      kind: 'wireguard',
      privateKey: KEY,
      peerResponderKey: KEY,
      peerInitiatorKey: KEY,
      peer: { ip: '192.0.2.2', port: 51_820 },
      aead: 'aes256gcm',
      roaming: false,
      keepaliveSeconds: 0,
    },
    clientPrefixes: ['172.16.1.101/32'],
    serverPrefixes: ['172.16.1.100/32', '10.0.0.0/8'],
    ...changes,
  }
}

function workload(namespace: string, interfaceName: string, addresses: readonly string[]) {
  return { kind: 'local', namespace, interfaceName, addresses, routes: [], policies: [] } as const
}
