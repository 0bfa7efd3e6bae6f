/**
 * The events of one pod: what has become of its wires since it was last told. An event that comes back with the same words
 * is one object with a count.
 *
 *     WireUp       these wires are up
 *     WireDown     these wires were up, and are down
 *     WireDenied   the wire was asked for and not given, or the annotation cannot be used: why, and what to do next
 *     ServeDenied  likewise for the endpoint that the pod is
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../base/index.ts'
import { type KubeClient, type KubeObject, type Resource, unlessOutdated } from '../../kube/index.ts'
import type { Pod } from '../pods/pod.ts'
import { namesOf, type PodReport, type Reported, sentenceOf } from './report.ts'
import { shorten } from './shorten.ts'

/** Of events.k8s.io/v1, where all but the series is immutable. */
export interface EventObject extends KubeObject {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly note: string
  readonly action: string
  readonly eventTime: string
  readonly regarding: Readonly<Record<string, string>>
  readonly reportingController: string
  /** The node. */
  readonly reportingInstance: string
  readonly series?: EventSeries
}

interface EventSeries {
  readonly count: number
  readonly lastObservedTime: string
}

export const EVENTS: Resource<EventObject> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  isNamespaced: true,
}

const CONTROLLER = 'networkservicemesh.io/nsmd'
/** What the API server allows. */
const MOST_INSTANCE_CHARS = 128
const MOST_NAME_CHARS = 253
const NAME_BYTES = 8
/** Events of different words of one pod that are remembered. */
const MOST_SERIES = 8

/** What is to be told at once, of one or several wires. */
export interface Telling {
  readonly type: EventObject['type']
  readonly reason: string
  readonly note: string
  /** Of what it tells. */
  readonly of: readonly Reported[]
}

interface Series {
  /** Of the object. */
  readonly name: string
  /** 0: the API server has yet to take the event. */
  count: number
}

export interface PodEventsOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch'>
  readonly nodeName: string
  readonly clock: Clock
  readonly signal: AbortSignal
}

export class PodEvents {
  readonly #options: PodEventsOptions
  /** By key: how each wire was when it was told of. */
  readonly #told = new Map<string, string>()
  readonly #series = new Map<string, Series>()

  constructor(options: PodEventsOptions) {
    this.#options = options
  }

  /** What there is to tell next. */
  next({ wires, endpoint }: PodReport): Telling | undefined {
    const all = [...wires, ...(endpoint === undefined ? [] : [endpoint])]
    const keys = new Set(all.map(({ key }) => key))
    for (const key of this.#told.keys()) if (!keys.has(key)) this.#told.delete(key)
    const news = all.filter((each) => this.#told.get(each.key) !== toldOf(each))
    if (endpoint?.at === 'up') this.skip([endpoint])
    const are = (at: Reported['at']) => news.filter((each) => each.at === at && each !== endpoint)
    const [refused] = news.filter(({ at }) => at === 'denied')
    if (are('down').length > 0) return wentDown(are('down'))
    if (refused !== undefined) return denied(refused === endpoint ? 'ServeDenied' : 'WireDenied', refused)
    return are('up').length > 0 ? cameUp(are('up')) : undefined
  }

  /** What an earlier run of this daemon has told. */
  skip(reported: readonly Reported[]): void {
    for (const each of reported) this.#told.set(each.key, toldOf(each))
  }

  async tell(pod: Pod, telling: Telling): Promise<void> {
    const series = this.#seriesOf(pod, telling)
    const isCounted = series.count > 0 && (await this.#count(pod, series))
    if (!isCounted) await this.#create(pod, telling, series)
    this.skip(telling.of)
  }

  /** @returns false when the event is gone: the API server keeps events for an hour */
  async #count({ namespace }: Pod, series: Series): Promise<boolean> {
    const { client, signal } = this.#options
    const body = { series: { count: series.count + 1, lastObservedTime: this.#now() } }
    const patched = client.patch(EVENTS, { namespace, name: series.name }, { type: 'merge', body, signal })
    if ((await unlessOutdated(patched)) === undefined) return false
    series.count += 1
    return true
  }

  async #create({ uid, name, namespace }: Pod, { type, reason, note }: Telling, series: Series): Promise<void> {
    const { client, nodeName, signal } = this.#options
    const event: EventObject = {
      metadata: { namespace, name: series.name },
      type,
      reason,
      note,
      action: 'Connect',
      eventTime: this.#now(),
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      reportingController: CONTROLLER,
      reportingInstance: nodeName.slice(0, MOST_INSTANCE_CHARS),
    }
    await unlessOutdated(client.create(EVENTS, event, { signal })) // it exists after a call whose answer was lost
    series.count = 1
  }

  /** As the API server writes it, in microseconds. */
  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString().replace('Z', '000Z')
  }

  #seriesOf({ name }: Pod, { reason, note }: Telling): Series {
    const words = `${reason} ${note}`
    const series = this.#series.get(words) ?? { name: eventName(name), count: 0 }
    this.#series.delete(words)
    this.#series.set(words, series)
    const [oldest] = this.#series.keys()
    if (oldest !== undefined && this.#series.size > MOST_SERIES) this.#series.delete(oldest)
    return series
  }
}

function toldOf({ at, why }: Reported): string {
  return at === 'denied' ? `${at} ${why}` : at
}

function cameUp(wires: readonly Reported[]): Telling {
  const them = wires.length === 1 ? 'it' : 'them'
  const note = shorten(`${namesOf(wires)} up; NetworkPolicies do not apply to ${them}`)
  return { type: 'Normal', reason: 'WireUp', note, of: wires }
}

function wentDown(wires: readonly Reported[]): Telling {
  const note = shorten(`${namesOf(wires)} down, and asked for again`)
  return { type: 'Warning', reason: 'WireDown', note, of: wires }
}

function denied(reason: 'WireDenied' | 'ServeDenied', refused: Reported): Telling {
  return { type: 'Warning', reason, note: shorten(sentenceOf(refused)), of: [refused] }
}

function eventName(podName: string): string {
  const random = randomBytes(NAME_BYTES).toString('hex')
  const most = MOST_NAME_CHARS - random.length - 1
  return `${podName.slice(0, most).replace(/[-.]+$/, '')}.${random}`
}
