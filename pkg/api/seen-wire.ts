/**
 * NSM's state of a connection is UP or DOWN. Whether a wire that is UP has been seen to work, a node says in the metrics
 * of its own segment, in the events of its monitor: upstream's clients ignore them.
 */
import type { Connection, PathSegment } from './connection.ts'

const METRIC = 'nsmesh.wire'
const CONNECTING = 'connecting'

/** The connection, in the view of the node, as one through which no packets have passed both ways yet. */
export function asConnecting(connection: Connection): Connection {
  const { index, segments } = connection.path
  const mark = (segment: PathSegment) => ({ ...segment, metrics: { ...segment.metrics, [METRIC]: CONNECTING } })
  const marked = segments.map((segment, at) => (at === index ? mark(segment) : segment))
  return { ...connection, path: { index, segments: marked } }
}

export function isConnecting({ path: { index, segments } }: Connection): boolean {
  return segments[index]?.metrics[METRIC] === CONNECTING
}
