/**
 * A machine for a node of Kubernetes: a host of the lab with file systems, processes and a name of its own, as a node
 * has them. Folders that programs of a node and its pods write into are the machine's own, at their usual paths.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
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

const INIT = fileURLToPath(new URL('node-init.sh', import.meta.url))
const ENTER = fileURLToPath(new URL('node-enter.sh', import.meta.url))
/** Of the programs of a machine, beside those that its kubelet makes for pods. */
const SYSTEM_GROUP = 'system'

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
    const init = [...spaces, INIT, folder, name, host.name]
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
    for (const hierarchy of cgroupHierarchies()) {
      for (const group of [this.host.name, `${this.host.name}/${SYSTEM_GROUP}`]) makeGroup(hierarchy, group)
    }
    this.#init.start()
    await until(`the machine ${this.name}`, () => existsSync(`${this.path('/run')}/machine-is-up`))
    await this.run(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
  }

  /** The command that runs `command` on this machine. */
  inside(command: readonly string[]): readonly string[] {
    return this.host.inside(this.#enter(command))
  }

  #enter(command: readonly string[]): readonly string[] {
    const spaces = ['--mount', '--uts', '--pid', '--cgroup']
    return ['nsenter', '--target', `${this.#init.pid}`, ...spaces, '--', ENTER, ...command]
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
