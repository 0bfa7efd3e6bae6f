/**
 * What suites need to have built, made in the background from the start, one after the other, at idle priority: a build
 * takes the time that no suite wants, of which those that wait for timers and links leave plenty. Once a suite waits for
 * it, it goes on as any other program.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { descendantsOf } from '../../test/lab/processes.ts'
import { BUILD, ROOT } from '../../test/lab/programs.ts'
import { endsWell } from './run.ts'

const NATIVE = `${ROOT}/pkg/dataplane/native`
export const SANITIZED = `${NATIVE}/build-address-undefined`
export const THREADS = `${NATIVE}/build-thread`
const LAST_LINES = 40

export type BuildName = 'dataplane' | 'sanitized' | 'threads' | 'fuzz' | 'tidy'

/** For the threads' suite only what its tests run. */
const THREADED_PROGRAMS = ['nsm-dataplane', 'nsm-impair', 'nsm-udp-probe', 'nsm-flood']
/** Traces need lines and no more, and unoptimized checks cost more time than their compiler saves. */
const SANITIZED_TYPE = ['-DCMAKE_BUILD_TYPE=Sanitized', '-DCMAKE_CXX_FLAGS_SANITIZED=-O1 -g1']

const COMMANDS: Readonly<Record<BuildName, readonly (readonly string[])[]>> = {
  dataplane: cmake(BUILD, ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DNSM_BENCH=ON']),
  sanitized: cmake(SANITIZED, [...SANITIZED_TYPE, '-DNSM_SANITIZE=address,undefined']),
  threads: cmake(THREADS, [...SANITIZED_TYPE, '-DNSM_SANITIZE=thread'], THREADED_PROGRAMS),
  fuzz: [[`${ROOT}/hack/fuzz`, '--build']],
  /** No build, but as long as one: clang-tidy over the native sources. */
  tidy: [[`${ROOT}/hack/lint-native`, 'tidy']],
}

function cmake(folder: string, options: readonly string[], targets: readonly string[] = []) {
  return [
    ['cmake', '-S', NATIVE, '-B', folder, '-G', 'Ninja', ...options],
    ['ninja', '-C', folder, ...targets],
  ]
}

export class Builds {
  readonly #done = new Map<BuildName, Promise<boolean>>()
  #running: ChildProcess | undefined
  #isPaused = false
  #waiting = 0

  /** @param names in the order in which they are needed */
  constructor(names: readonly BuildName[]) {
    let last: Promise<unknown> = Promise.resolve()
    for (const name of names) {
      const build = last.then(() => this.#build(name))
      this.#done.set(name, build)
      last = build
    }
    process.once('exit', () => this.#signal('SIGKILL'))
  }

  /** Resolves, once it is done, with whether it could be built. */
  async done(name: BuildName): Promise<boolean> {
    this.#waiting += 1
    this.#hurry()
    const isBuilt = await this.#done.get(name)
    this.#waiting -= 1
    return isBuilt === true
  }

  /** Runs what must have the machine for itself. */
  async quietly<T>(work: () => Promise<T>): Promise<T> {
    this.#isPaused = true
    this.#signal('SIGSTOP')
    try {
      return await work()
    } finally {
      this.#isPaused = false
      this.#signal('SIGCONT')
    }
  }

  async #build(name: BuildName): Promise<boolean> {
    const startMs = performance.now()
    const log = `${ROOT}/build/${name}.log`
    mkdirSync(`${ROOT}/build`, { recursive: true })
    const output = openSync(log, 'w')
    let isBuilt = true
    for (const command of COMMANDS[name]) isBuilt &&= await this.#run(command, output)
    closeSync(output)
    const seconds = Math.round((performance.now() - startMs) / 1_000)
    console.log(`-- ${name} ${isBuilt ? 'is built' : 'DID NOT BUILD'}, after ${seconds} s beside other work`)
    if (!isBuilt) console.log(readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LAST_LINES).join('\n'))
    return isBuilt
  }

  /** In a process group of its own, so that all of it can be stopped. */
  #run(command: readonly string[], output: number): Promise<boolean> {
    const policy = this.#waiting === 0 ? '--idle' : '--other'
    const child = spawn('chrt', [policy, '0', ...command], { detached: true, stdio: ['ignore', output, output] })
    this.#running = child
    if (this.#isPaused) this.#signal('SIGSTOP')
    return endsWell(child)
  }

  #hurry(): void {
    const pid = this.#runningPid
    if (pid === undefined) return
    for (const each of [pid, ...descendantsOf(pid)]) {
      spawn('chrt', ['--other', '--pid', '0', `${each}`], { stdio: 'ignore' }) // it may be gone by now
    }
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#runningPid
    if (pid !== undefined) process.kill(-pid, signal)
  }

  get #runningPid(): number | undefined {
    const child = this.#running
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined
  }
}
