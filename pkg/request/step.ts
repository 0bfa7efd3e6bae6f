/**
 * A daemon's chain: short steps, each of which gets what it needs and hands on only what it adds. What a step may read
 * is what the steps before it added, so that the compiler refuses a wrong order.
 */
export type Step<In, Add, Out> = (context: In, next: (added: Add) => Promise<Out>) => Promise<Out>

export class Chain<Start, Now, Out> {
  readonly #run: (start: Start, last: (now: Now) => Promise<Out>) => Promise<Out>

  constructor(run: (start: Start, last: (now: Now) => Promise<Out>) => Promise<Out>) {
    this.#run = run
  }

  step<Add>(step: Step<Now, Add, Out>): Chain<Start, Now & Add, Out> {
    return new Chain((start, last) => this.#run(start, (now) => step(now, (added) => last({ ...now, ...added }))))
  }

  end(last: (now: Now) => Promise<Out>): (start: Start) => Promise<Out> {
    return (start) => this.#run(start, last)
  }
}

/** An empty chain, to which steps are added with `step` and the last one with `end`. */
export function chain<Start, Out>(): Chain<Start, Start, Out> {
  return new Chain((start, last) => last(start))
}
