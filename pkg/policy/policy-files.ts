/** The policy of a program: read from its files at the start, and again whenever they change. */
import { type Clock, describeError, Listeners, type Logger } from '../base/index.ts'
import { loadPolicy } from './file/load-policy.ts'
import type { SourceText } from './file/yaml-reader.ts'
import { type Policy, type PolicySource, withoutPolicy } from './policy-source.ts'

/** Two readings must agree before a change counts: it is in force within half a second. */
const READ_MS = 200

export interface PolicyFilesOptions {
  /** None: what holds by default holds. */
  readonly paths: readonly string[]
  readonly domain: string
  /** Reads a whole file. */
  readonly read: (path: string) => string
  readonly clock: Clock
  readonly logger: Logger
}

export class PolicyFiles implements PolicySource {
  readonly #options: PolicyFilesOptions
  readonly #listeners = new Listeners<[]>()
  #policy: Policy
  /** Of the policy in force. */
  #text: string
  /** What the reading before found. */
  #seen: string
  /** What the reading before found and could not be used. */
  #refused = ''
  #problem = ''

  /** @throws {NsmError} every mistake in the files: no program starts without the policy that it was given. */
  constructor(options: PolicyFilesOptions) {
    this.#options = options
    const sources = this.#readAll()
    this.#text = JSON.stringify(sources)
    this.#seen = this.#text
    this.#policy = sources.length === 0 ? withoutPolicy.current() : loadPolicy(sources, options.domain)
  }

  current(): Policy {
    return this.#policy
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Why the policy in force is not the one in the files; empty where it is, undefined where there are no files. */
  get problem(): string | undefined {
    return this.#options.paths.length === 0 ? undefined : this.#problem
  }

  /**
   * Takes over every change until `signal` aborts. Files are read and not watched, because a change may be a write, a
   * rename or, in Kubernetes, another target of a symbolic link.
   */
  async follow(signal: AbortSignal): Promise<void> {
    const { paths, clock } = this.#options
    while (paths.length > 0 && !signal.aborted) {
      await clock.sleep(READ_MS, signal).catch(() => {})
      if (!signal.aborted) this.#readAgain()
    }
  }

  #readAgain(): void {
    const refused = this.#refused
    this.#refused = ''
    try {
      const sources = this.#readAll()
      const text = JSON.stringify(sources)
      const isWhole = text === this.#seen // what is still being written is never taken half
      this.#seen = text
      if (text === this.#text) this.#problem = ''
      else if (text === refused) this.#refused = refused
      else if (isWhole) this.#change(sources, text)
    } catch (error) {
      this.#keep(error)
    }
  }

  #change(sources: readonly SourceText[], text: string): void {
    const { domain, paths, logger } = this.#options
    this.#refused = text
    this.#policy = loadPolicy(sources, domain)
    this.#text = text
    this.#refused = ''
    this.#problem = ''
    logger.info('The policy has changed', { paths: paths.join(' ') })
    this.#listeners.tell()
  }

  #keep(error: unknown): void {
    const problem = describeError(error)
    if (problem === this.#problem) return
    this.#problem = problem
    this.#options.logger.error('Cannot use the changed policy: keeping the one before', { error: problem })
  }

  #readAll(): readonly SourceText[] {
    const { paths, read } = this.#options
    return paths.map((path) => ({ path, text: read(path) }))
  }
}
