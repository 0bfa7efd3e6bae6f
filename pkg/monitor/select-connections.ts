/** Matches connections with the selector of a watcher. Pure. */
import type { Connection, MonitorScopeSelector, PathSegment } from '../api/index.ts'

/** An empty selector matches everything; otherwise all that it contains must match. */
export function isSelected(selector: MonitorScopeSelector, { networkService, path }: Connection): boolean {
  const { networkServices, pathSegments } = selector
  const isServiceSelected = networkServices.length === 0 || networkServices.includes(networkService)
  return isServiceSelected && hasSegments(pathSegments, path.segments)
}

type Wanted = MonitorScopeSelector['pathSegments']

/** Whether `segments` contains `wanted` contiguously and in the same order. */
function hasSegments(wanted: Wanted, segments: readonly PathSegment[]): boolean {
  const starts = segments.length - wanted.length + 1
  return Array.from({ length: Math.max(0, starts) }).some((_, start) =>
    wanted.every((each, offset) => isMatch(each, segments[start + offset])),
  )
}

/** Empty fields of `wanted` match anything. */
function isMatch(wanted: Wanted[number], segment: PathSegment | undefined): boolean {
  if (segment === undefined) return false
  return (['name', 'id', 'token'] as const).every((key) => wanted[key] === '' || wanted[key] === segment[key])
}
