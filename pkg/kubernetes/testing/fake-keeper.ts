/** Keeps wires and endpoints in name only: a list of what was begun and ended, and states that the test tells. */
import { NsmError } from '../../base/index.ts'
import type { KeptState, PodKeeper, PodNamespaces, Tell } from '../pods/doors.ts'
import type { PodAt } from '../pods/pod.ts'

export class FakeKeeper implements PodKeeper {
  /** In order: `+ web nsm-1 kernel db in inode://4/1`, `- …` closed, `~ …` left. */
  readonly transcript: string[] = []
  /** The wires and endpoints that stand, by `<pod> <key>`. */
  readonly standing = new Map<string, Tell>()

  keepWire: PodKeeper['keepWire'] = (at, { key, url }, tell) => this.#keep(at, { key, what: url.service }, tell)

  keepEndpoint: PodKeeper['keepEndpoint'] = (at, { services }, tell) =>
    this.#keep(at, { key: 'serve', what: services.join(',') }, tell)

  tell(name: string, state: KeptState): void {
    this.standing.get(name)?.(state)
  }

  /** What happened since the last look. */
  seen(): readonly string[] {
    return this.transcript.splice(0)
  }

  #keep({ pod, sandbox }: PodAt, { key, what }: { readonly key: string; readonly what: string }, tell: Tell) {
    const name = `${pod.name} ${key}`
    const line = `${name} ${what} in ${sandbox.namespace}`
    this.transcript.push(`+ ${line}`)
    this.standing.set(name, tell)
    const end = async (sign: string) => {
      this.transcript.push(`${sign} ${line}`)
      if (this.standing.get(name) === tell) this.standing.delete(name)
    }
    return { close: () => end('-'), leave: () => end('~') }
  }
}

export class FakeNamespaces implements PodNamespaces {
  /** Where the processes of pods are, by uid. */
  readonly found = new Map<string, string>()
  /** What is kept within reach, by uid. */
  readonly kept = new Map<string, string>()
  /** Those that are no more. */
  readonly gone = new Set<string>()
  searches = 0

  async find(uid: string): Promise<string> {
    this.searches += 1
    const namespace = this.found.get(uid)
    if (namespace !== undefined) {
      this.kept.set(uid, namespace)
      return namespace
    }
    throw new NsmError('not_found', 'Cannot find the network of the pod: no process of it runs here')
  }

  async keep(uid: string, namespace: string): Promise<void> {
    if (this.gone.has(namespace)) throw new NsmError('not_found', 'Cannot keep the namespace: it is gone')
    this.kept.set(uid, namespace)
  }

  async release(uid: string): Promise<void> {
    this.kept.delete(uid)
  }
}
