import type { Connection } from '../api/index.ts'
import type { Deadlines, Step } from '../base/index.ts'
import type { Signed } from './path-tokens.ts'

/** A connection lasts until the token expires with which it was last requested. */
export function expire(deadlines: Deadlines): Step<Signed, object, Connection> {
  return async function expire({ connection, expiresMs }, next) {
    const answer = await next({})
    deadlines.set(connection.id, expiresMs)
    return answer
  }
}
