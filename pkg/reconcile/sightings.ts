/**
 * What events tell of single objects. Most is the echo of what we did ourselves: that costs a comparison, and only what
 * differs from what we know has its place observed.
 *
 *     saw --> known: nothing
 *         --> changed: the place is doubted at once, so that what changes and changes back is not missed
 *         --> its owner is at work, or it has none: judged again when it has settled
 *         --> the echo of what we did last is not here yet, and this may be older: judged again a little later
 */
import type { Clock } from '../base/index.ts'
import { itemId } from './item.ts'
import type { AnyKind } from './kind.ts'

/** An object as an event shows it; `actual` is undefined when it is gone. */
export interface Sighting {
  readonly kind: AnyKind
  readonly key: string
  readonly actual: unknown
}

export type Verdict = 'known' | 'changed' | 'unsettled' | 'unowned' | 'unconfirmed'

export interface SightingsOptions {
  readonly clock: Clock
  readonly judge: (place: string, sighting: Sighting) => Verdict
  readonly changed: (place: string) => void
}

const SETTLE_MS = 50

export class Sightings {
  readonly #options: SightingsOptions
  /** The last sighting of each object that is not judged yet. */
  #unjudged = new Map<string, { readonly place: string; readonly sighting: Sighting }>()
  #cancel: (() => void) | undefined

  constructor(options: SightingsOptions) {
    this.#options = options
  }

  saw(place: string, sighting: Sighting): void {
    const { judge, changed } = this.#options
    const verdict = judge(place, sighting)
    const id = `${place} ${itemId(sighting.kind, sighting.key)}`
    if (verdict === 'known' || verdict === 'changed') this.#unjudged.delete(id)
    else this.#wait(id, place, sighting)
    if (verdict === 'changed') changed(place)
  }

  close(): void {
    this.#cancel?.()
  }

  #wait(id: string, place: string, sighting: Sighting): void {
    this.#unjudged.set(id, { place, sighting })
    this.#cancel ??= this.#options.clock.after(SETTLE_MS, () => this.#judgeAgain())
  }

  #judgeAgain(): void {
    const { judge, changed } = this.#options
    const waiting = this.#unjudged
    this.#unjudged = new Map()
    this.#cancel = undefined
    for (const [id, { place, sighting }] of waiting) {
      const verdict = judge(place, sighting)
      if (verdict === 'unsettled') this.#wait(id, place, sighting)
      else if (verdict !== 'known') changed(place)
    }
  }
}
