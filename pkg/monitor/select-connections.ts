/** Which connections a watcher asked for. Pure. */
import type { Connection, MonitorScopeSelector, PathSegment } from '../api/index.ts'

/** An empty selector matches every connection; otherwise all that it names must match. */
export function isSelected(selector: MonitorScopeSelector, { networkService, path }: Connection): boolean {
  const { networkServices, pathSegments } = selector
  const isServiceFit = networkServices.length === 0 || networkServices.includes(networkService)
  return isServiceFit && hasSegments(pathSegments, path.segments)
}

type Wanted = MonitorScopeSelector['pathSegments']

/** Whether `segments` contains `wanted` as one run, in this order. */
function hasSegments(wanted: Wanted, segments: readonly PathSegment[]): boolean {
  const starts = segments.length - wanted.length + 1
  return Array.from({ length: Math.max(0, starts) }).some((_, start) =>
    wanted.every((each, offset) => isFit(each, segments[start + offset])),
  )
}

/** An empty field of `wanted` matches any value. */
function isFit(wanted: Wanted[number], segment: PathSegment | undefined): boolean {
  if (segment === undefined) return false
  return (['name', 'id', 'token'] as const).every((key) => wanted[key] === '' || wanted[key] === segment[key])
}
