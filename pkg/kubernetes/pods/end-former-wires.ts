import type { Connection } from '../../api/index.ts'
import type { NodePods } from './node-pods.ts'
import { podOfAccount, wireId } from './pod.ts'

/** A connection that stands at this node. */
interface Standing {
  readonly id: string
  /** Whom it is counted for. */
  readonly accounts?: readonly string[]
  readonly connection: Pick<Connection, 'path'>
}

export interface FormerWiresParts {
  readonly table: { all(): Iterable<Standing> }
  readonly pods: Pick<NodePods, 'status'>
  readonly end: (id: string, reason: string) => Promise<void>
}

/**
 * Ends wires that an earlier run of this daemon has made for pods, and that these do not want any more. A pod whose network
 * was not found now may have them still: it takes them up once it is found, or they expire.
 */
export async function endFormerWires({ table, pods, end }: FormerWiresParts): Promise<void> {
  for (const { id, accounts = [], connection } of [...table.all()]) {
    const uid = accounts.map(podOfAccount).find((each) => each !== undefined)
    const made = connection.path.segments[0]?.id ?? ''
    if (uid === undefined || !made.startsWith(wireId({ uid }, ''))) continue
    const status = pods.status(uid)
    if (status?.problem !== undefined) continue
    const wanted = status?.wires.map(({ asked }) => wireId({ uid }, asked.key)) ?? []
    if (!wanted.includes(made)) await end(id, 'its pod does not ask for it any more')
  }
}
