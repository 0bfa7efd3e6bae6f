/**
 * A chain of short steps. Each step receives what the steps before it have added and passes on only its own additions,
 * so that a wrong order does not compile. A chain can print itself: its steps are named after their functions.
 */
import { NsmError } from './errors.ts'

/** Returns the result of `next`, or a result of its own; throws to refuse. */
export type Step<In, Add, Out> = (context: In, next: (added: Add) => Promise<Out>) => Promise<Out>

export interface Chain<Start, Out> {
  run(start: Start): Promise<Out>
  /** `updatePath > updateToken > ...` */
  toString(): string
}

/** A chain without its last step. */
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

/** An empty chain; `step` adds a step, and `end` the last one. */
export function chain<Start, Out>(): OpenChain<Start, Start, Out> {
  return new OpenChain((start, last) => last(start), [])
}

function nameOf({ name }: { readonly name: string }): string {
  if (name !== '') return name
  throw new NsmError('invalid_argument', 'Cannot add the step to the chain: its function has no name')
}
