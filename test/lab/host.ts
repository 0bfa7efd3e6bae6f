/**
 * A machine of the lab: a network namespace, in which programs run. Its processes are children of this one; a janitor
 * removes everything when this process dies without having done so.
 */
import type { ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { formatNamespaceId } from '../../pkg/net/index.ts'
import { type Outcome, type Piped, pipe, type RunOptions, run, start, stop, tryRun } from './shell.ts'

export interface HostOptions {
  /** Whether `lo` is up, as in every pod; without it, the kernel has no routing table yet. */
  readonly hasLoopback?: boolean
}

export class Host {
  /** Of the namespace, as `ip netns` shows it. */
  readonly name: string
  readonly #children = new Set<ChildProcess>()

  private constructor(name: string) {
    this.name = name
  }

  static async create(name: string, { hasLoopback = true }: HostOptions = {}): Promise<Host> {
    await run(['ip', 'netns', 'add', name])
    if (hasLoopback) await run(['ip', '-n', name, 'link', 'set', 'lo', 'up'])
    return new Host(name)
  }

  /** `inode://<dev>/<ino>` of the namespace. */
  get namespace(): string {
    const { dev, ino } = statSync(`/run/netns/${this.name}`, { bigint: true })
    return formatNamespaceId({ dev, ino })
  }

  /** All links but `lo`. */
  async linkNames(): Promise<readonly string[]> {
    const links: readonly { readonly ifname: string }[] = JSON.parse(await this.run(['ip', '-json', 'link']))
    return links.map(({ ifname }) => ifname).filter((ifname) => ifname !== 'lo')
  }

  /** `ip` inside this host, several commands in one process. */
  async ip(...commands: readonly string[]): Promise<void> {
    await run(['ip', '-n', this.name, '-batch', '-'], { input: `${commands.join('\n')}\n` })
  }

  run(command: readonly string[], options?: RunOptions): Promise<string> {
    return run(this.inside(command), options)
  }

  tryRun(command: readonly string[], options?: RunOptions): Promise<Outcome> {
    return tryRun(this.inside(command), options)
  }

  start(command: readonly string[], log: string, options?: RunOptions): ChildProcess {
    return this.#keep(start(this.inside(command), log, options))
  }

  /** Starts in the background, to talk with over its standard input and output. */
  pipe(command: readonly string[], options?: RunOptions): Piped {
    return this.#keep(pipe(this.inside(command), options))
  }

  /** The command that runs `command` on this host. */
  inside(command: readonly string[]): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`, '--', ...command]
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => stop(child)))
    await tryRun(['ip', 'netns', 'del', this.name])
  }

  #keep<T extends ChildProcess>(child: T): T {
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }
}

/** Joins two hosts by a veth pair; the ends are up. */
export async function cable(a: { host: Host; link: string }, b: { host: Host; link: string }): Promise<void> {
  await run([
    'ip',
    'link',
    'add',
    a.link,
    'netns',
    a.host.name,
    'type',
    'veth',
    'peer',
    'name',
    b.link,
    'netns',
    b.host.name,
  ])
  await Promise.all([a.host.ip(`link set ${a.link} up`), b.host.ip(`link set ${b.link} up`)])
}
