import type { Answer, Exchange, Transport } from '../transport.ts'

/** What the API server answers: a body in one piece or in parts, or an error in its place. */
export interface ScriptedAnswer {
  readonly status?: number
  readonly body: unknown
}

/** Answers each call from a script, and keeps what was asked. */
export class ScriptedTransport implements Transport {
  readonly asked: Exchange[] = []
  readonly #answer: (exchange: Exchange) => ScriptedAnswer | AsyncIterable<string> | Error

  constructor(answer: (exchange: Exchange) => ScriptedAnswer | AsyncIterable<string> | Error) {
    this.#answer = answer
  }

  async exchange(exchange: Exchange): Promise<Answer> {
    this.asked.push(exchange)
    const answer = this.#answer(exchange)
    if (answer instanceof Error) throw answer
    if ('body' in answer) return { status: answer.status ?? 200, body: encoded([JSON.stringify(answer.body)]) }
    return { status: 200, body: encoded(answer) }
  }

  close(): void {}
}

async function* encoded(parts: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) yield Buffer.from(part)
}
