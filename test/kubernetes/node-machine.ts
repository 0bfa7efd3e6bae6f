/**
 * A machine for a node of Kubernetes: a host of the lab with file systems, processes and a name of its own, as a node
 * has them. Folders that programs of a node and its pods write into are the machine's own, at their usual paths.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Host } from '../lab/host.ts'
import type { Lab } from '../lab/lab.ts'
import { descendantsOf } from '../lab/processes.ts'
import type { Outcome, RunOptions } from '../lab/shell.ts'
import { until } from '../lab/until.ts'
import { Component, type Launched } from './component.ts'
import type { Machine } from './machine.ts'

/** Of Debian's package; a node has links to them, among which others can be put. */
const CNI_PLUGINS = '/usr/lib/cni'
const OWN_FOLDERS = ['/opt', '/run', '/var/lib', '/var/log']

/**
 * The init of a machine: `$1` is its folder, `$2` its name. It ignores SIGCHLD, so that the kernel reaps the orphans
 * that it gets.
 */
const INIT = `
set -e
mount --make-rshared /
for path in ${OWN_FOLDERS.join(' ')}; do mount --rbind "$1$path" "$path"; done
mount -t overlay -o lowerdir=/etc,upperdir="$1/etc",workdir="$1/work" overlay /etc
hostname "$2"
mkdir /run/machine-is-up
trap '' CHLD
exec sleep infinity
`

export class NodeMachine implements Machine {
  readonly name: string
  readonly host: Host
  readonly #init: Component

  private constructor(host: Host, name: string, init: Component) {
    this.host = host
    this.name = name
    this.#init = init
  }

  static async create(lab: Lab, host: Host, name: string): Promise<NodeMachine> {
    const folder = lab.diskFolder(name)
    for (const path of [...OWN_FOLDERS, '/etc', '/work', '/opt/cni/bin'])
      mkdirSync(`${folder}${path}`, { recursive: true })
    for (const plugin of readdirSync(CNI_PLUGINS))
      symlinkSync(`${CNI_PLUGINS}/${plugin}`, `${folder}/opt/cni/bin/${plugin}`)
    const spaces = ['unshare', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc', '--']
    const init = [...spaces, 'sh', '-c', INIT, 'sh', folder, name]
    const log = `${lab.directory}/${name}-init.log`
    const machine = new NodeMachine(host, name, new Component('init', () => onlyChild(host.start(init, log))))
    lab.defer(() => machine.close())
    await machine.#boot()
    return machine
  }

  /** Where a path of this machine is seen from outside. */
  path(path: string): string {
    return `/proc/${this.#init.pid}/root${path}`
  }

  /** Writes a file of this machine, and the folders that lead to it. */
  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true })
    writeFileSync(this.path(path), text, { mode })
  }

  tryRun(command: readonly string[], options?: RunOptions): Promise<Outcome> {
    return this.host.tryRun(this.#enter(command), options)
  }

  /** @throws {Error} with command and output when it fails */
  async run(command: readonly string[], options?: RunOptions): Promise<string> {
    return this.host.run(this.#enter(command), options)
  }

  launch(command: readonly string[], log: string, options?: RunOptions): Launched {
    return onlyChild(this.host.start(this.#enter(command), log, options))
  }

  /** Ends all that runs on it, pods too, at once: as when the power fails. */
  async close(): Promise<void> {
    await this.#init.stop('SIGKILL')
    const ours = ['-path', `*/${this.host.name}`, '-o', '-path', `*/${this.host.name}/*`]
    const remove = ['find', '/sys/fs/cgroup', '-depth', '-type', 'd', '(', ...ours, ')', '-exec', 'rmdir', '{}', '+']
    // A group can go when the kernel has buried the last process of it.
    await until(`the control groups of ${this.name} to go`, async () => (await this.host.tryRun(remove)).code === 0)
  }

  async #boot(): Promise<void> {
    this.#init.start()
    await until(`the machine ${this.name}`, () => existsSync(`${this.path('/run')}/machine-is-up`))
    for (const hierarchy of cgroupHierarchies()) makeGroup(hierarchy, this.host.name)
    await this.run(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
  }

  /** The command that runs `command` on this machine. */
  inside(command: readonly string[]): readonly string[] {
    return this.host.inside(this.#enter(command))
  }

  #enter(command: readonly string[]): readonly string[] {
    return ['nsenter', '--target', `${this.#init.pid}`, '--mount', '--uts', '--pid', '--', ...command]
  }
}

/** A program that another one waits for: the namespaces of processes are entered by being born there. */
function onlyChild(child: ChildProcess): Launched {
  return { child, pid: () => descendantsOf(child.pid ?? 0)[0] ?? 0 }
}

/** Where each hierarchy of control groups is mounted: several with version 1. */
function cgroupHierarchies(): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  return mounts
    .map((line) => line.split(' '))
    .flatMap(([, path = '', type]) => (type?.startsWith('cgroup') ? [path] : []))
}

/** In version 1, a group for CPUs can hold processes only when it says which ones. */
function makeGroup(hierarchy: string, name: string): void {
  mkdirSync(`${hierarchy}/${name}`, { recursive: true })
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(`${hierarchy}/${name}/${file}`)) continue
    writeFileSync(`${hierarchy}/${name}/${file}`, readFileSync(`${hierarchy}/${file}`))
  }
}
