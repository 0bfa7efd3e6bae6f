/**
 * A chain of short steps: each gets what it needs and passes on only what it adds. A step may read what the steps before
 * it added, so that a wrong order does not compile. A chain prints itself: the names of its steps are those of the
 * functions.
 */
import { NsmError } from './errors.ts'

/** Returns what `next` returned, or an answer of its own; throws to refuse. */
export type Step<In, Add, Out> = (context: In, next: (added: Add) => Promise<Out>) => Promise<Out>

export interface Chain<Start, Out> {
  run(start: Start): Promise<Out>
  /** `updatePath > updateToken > ...` */
  toString(): string
}

/** A chain that has no end yet. */
export class OpenChain<Start, Now, Out> {
  readonly #run: (start: Start, last: (now: Now) => Promise<Out>) => Promise<Out>
  readonly #names: readonly string[]

  constructor(run: (start: Start, last: (now: Now) => Promise<Out>) => Promise<Out>, names: readonly string[]) {
    this.#run = run
    this.#names = names
  }

  step<Add>(step: Step<Now, Add, Out>): OpenChain<Start, Now & Add, Out> {
    return new OpenChain(
      (start, last) => this.#run(start, (now) => step(now, (added) => last({ ...now, ...added }))),
      [...this.#names, nameOf(step)],
    )
  }

  end(last: (now: Now) => Promise<Out>): Chain<Start, Out> {
    const names = [...this.#names, nameOf(last)].join(' > ')
    return { run: (start) => this.#run(start, last), toString: () => names }
  }
}

/** An empty chain, to which `step` adds steps and `end` the last one. */
export function chain<Start, Out>(): OpenChain<Start, Start, Out> {
  return new OpenChain((start, last) => last(start), [])
}

function nameOf({ name }: { readonly name: string }): string {
  if (name !== '') return name
  throw new NsmError('invalid_argument', 'Cannot add the step to the chain: its function has no name')
}
