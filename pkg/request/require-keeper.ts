import type { Connection } from '../api/index.ts'
import type { Step } from '../base/index.ts'
import type { Keepers } from '../connections/index.ts'
import type { Arrived } from '../steps/index.ts'

/** Two clients of one name in one namespace ask for the same connection: only one may have it. */
export function requireKeeper(keepers: Keepers): Step<Arrived, object, Connection> {
  return async function requireKeeper({ connection: { id, path }, call }, next) {
    keepers.check(id, call.peer, path.segments[0]?.name ?? '')
    const answer = await next({})
    keepers.keep(id, call.peer)
    return answer
  }
}
