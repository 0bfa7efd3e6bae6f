/**
 * A lab: a small internet, and hosts on it, each with a public address (documentation ranges, RFC 5737 and 3849).
 * Nothing leaves this machine: there is no route out of the namespaces.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cable, Host, type HostOptions } from './host.ts'
import { namespaceOf } from './processes.ts'
import { ROOT } from './programs.ts'
import { tryRun } from './shell.ts'

/** The users that the lab's daemons run as; numbers are enough, they need no names. */
export const DAEMON_UID = 64001
export const REGISTRY_UID = 64002
export const ENGINE_UID = 64003

/** What a lab has there is in a folder of the name of its directory. */
const DISK = '/var/tmp'
const BRIDGE = 'inet0'
/** V8 would let the young generation of a busy daemon grow to hundreds of megabytes before it looks for garbage. */
const NODE_FLAGS = ['--max-semi-space-size=4']

/** Labs that this process has made: each has names of its own, so that the janitor of one leaves the next alone. */
let made = 0

interface FolderOptions {
  readonly uid?: number
  /** By default the uid's own. */
  readonly gid?: number
  readonly mode?: number
}

interface LabOptions {
  /** The only IP version that this internet has. */
  readonly family?: 4 | 6
}

interface Place extends Required<LabOptions> {
  readonly prefix: string
  readonly directory: string
}

export class Lab {
  /** All namespaces of this lab start with it. */
  readonly prefix: string
  readonly directory: string
  readonly #internet: Host
  readonly #family: 4 | 6
  readonly #janitor: ChildProcess
  readonly #hosts: Host[] = []
  readonly #closers: (() => Promise<void>)[] = []
  #isReadable = true

  private constructor({ prefix, directory, family }: Place, internet: Host, janitor: ChildProcess) {
    this.prefix = prefix
    this.directory = directory
    this.#internet = internet
    this.#family = family
    this.#janitor = janitor
  }

  static async create({ family = 4 }: LabOptions = {}): Promise<Lab> {
    made += 1
    const prefix = `nsm${process.pid.toString(36)}-${made}-`
    const directory = `/run/nsmesh-lab-${process.pid}-${made}`
    mkdirSync(directory, { mode: 0o755, recursive: true })
    // First of all, so that nothing is made that nobody would remove.
    const script = fileURLToPath(new URL('janitor.sh', import.meta.url))
    const janitor = spawn(script, [prefix, directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    const internet = await Host.create(`${prefix}internet`)
    const lab = new Lab({ prefix, directory, family }, internet, janitor)
    await internet.ip(`link add ${BRIDGE} type bridge`, `link set ${BRIDGE} up`)
    const { code } = await tryRun([
      'setpriv',
      `--reuid=${DAEMON_UID}`,
      '--clear-groups',
      'test',
      '-r',
      `${ROOT}/package.json`,
    ])
    lab.#isReadable = code === 0
    return lab
  }

  get internet(): Host {
    return this.#internet
  }

  /** Whether a process runs on one of its hosts. */
  runs(pid: number): boolean {
    const namespace = namespaceOf(pid)
    return [this.#internet, ...this.#hosts].some((host) => host.namespace === namespace)
  }

  /** A host whose public address is 203.0.113.`number`, or 2001:db8::`number`. */
  async publicHost(name: string, number: number): Promise<{ host: Host; address: string }> {
    const host = await this.host(name)
    const [address, length] = this.#family === 4 ? [`203.0.113.${number}`, 24] : [`2001:db8::${number}`, 64]
    const link = `host${number}`
    await cable({ host, link: 'eth0' }, { host: this.#internet, link })
    await host.ip(`address add ${address}/${length} dev eth0 nodad`)
    await this.#internet.ip(`link set ${link} master ${BRIDGE}`)
    return { host, address }
  }

  async host(name: string, options?: HostOptions): Promise<Host> {
    const host = await Host.create(`${this.prefix}${name}`, options)
    this.#hosts.push(host)
    return host
  }

  /** A directory of the lab. */
  folder(name: string, { uid = 0, gid, mode = 0o755 }: FolderOptions = {}): string {
    const path = `${this.directory}/${name}`
    mkdirSync(path, { recursive: true })
    chmodSync(path, mode)
    chownSync(path, uid, gid ?? uid)
    return path
  }

  /** A directory of the lab for what is too big for /run, which may be in memory. */
  diskFolder(name: string): string {
    const path = `${DISK}/${basename(this.directory)}/${name}`
    mkdirSync(path, { recursive: true })
    return path
  }

  defer(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  /** The command that runs one of our TypeScript programs as an ordinary user without any privilege. */
  program(name: string, uid: number): readonly string[] {
    const drop = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${uid}`,
      '--clear-groups',
      '--bounding-set=-all',
      '--no-new-privs',
      '--',
    ]
    if (this.#isReadable) return [...drop, process.execPath, ...NODE_FLAGS, `${ROOT}/cmd/${name}/main.ts`]
    // The checkout lies where that user may not look (below /root, say): show it to this program alone, elsewhere.
    const node = process.execPath.startsWith(ROOT) ? `/mnt${process.execPath.slice(ROOT.length)}` : process.execPath
    const mount = `mount --bind '${ROOT}' /mnt && cd /mnt && exec "$@"`
    return ['unshare', '--mount', 'sh', '-c', mount, 'sh', ...drop, node, ...NODE_FLAGS, `/mnt/cmd/${name}/main.ts`]
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close()
    await Promise.all([...this.#hosts.splice(0), this.#internet].map((host) => host.close()))
    this.#janitor.stdin?.end()
    for (const path of [this.directory, `${DISK}/${basename(this.directory)}`])
      rmSync(path, { recursive: true, force: true })
  }
}
