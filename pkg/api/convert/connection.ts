import type {
  Connection,
  ConnectionEvent,
  ConnectionRequest,
  Mechanism,
  MonitorScopeSelector,
  Path,
  PathSegment,
} from '../connection.ts'
import * as wire from '../gen/connection/connection.ts'
import type { NetworkServiceRequest } from '../gen/networkservice/networkservice.ts'
import { entries, labels, list, literal, name, refuse, required, timeMs, timestamp, token } from './border.ts'
import { contextFromWire, contextToWire } from './context.ts'

/** @throws {NsmError} `invalid_argument`, with the field that is wrong; so do all functions from the wire. */
export function requestFromWire(request: NetworkServiceRequest): ConnectionRequest {
  return {
    connection: connectionFromWire(required(request.connection, 'connection')),
    mechanismPreferences: list(request.mechanismPreferences, 'mechanism_preferences', mechanismFromWire),
  }
}

export function requestToWire(request: ConnectionRequest): NetworkServiceRequest {
  return {
    connection: connectionToWire(request.connection),
    mechanismPreferences: request.mechanismPreferences.map(mechanismToWire),
  }
}

export function connectionFromWire(connection: wire.Connection, at = 'connection'): Connection {
  const { mechanism } = connection
  return {
    id: name(connection.id, `${at}.id`),
    networkService: name(connection.networkService, `${at}.network_service`),
    mechanism: mechanism && mechanismFromWire(mechanism, `${at}.mechanism`),
    context: contextFromWire(connection.context, `${at}.context`),
    labels: labels(connection.labels, `${at}.labels`),
    path: pathFromWire(connection.path, `${at}.path`),
    endpointName: name(connection.networkServiceEndpointName, `${at}.network_service_endpoint_name`),
    payload: name(connection.payload, `${at}.payload`),
    state: literal(connection.state, `${at}.state`, wire.State),
  }
}

export function connectionToWire(connection: Connection): wire.Connection {
  return {
    id: connection.id,
    networkService: connection.networkService,
    mechanism: connection.mechanism && mechanismToWire(connection.mechanism),
    context: contextToWire(connection.context),
    labels: entries(connection.labels),
    path: { index: connection.path.index, pathSegments: connection.path.segments.map(segmentToWire) },
    networkServiceEndpointName: connection.endpointName,
    payload: connection.payload,
    state: wire.State[connection.state],
  }
}

export function eventFromWire(event: wire.ConnectionEvent): ConnectionEvent {
  // As many as fit a message: a node's whole table comes in one event.
  const connections = [...event.connections].map(
    ([id, connection]) => [name(id, 'connections'), connectionFromWire(connection, 'connections[]')] as const,
  )
  return { type: literal(event.type, 'type', wire.ConnectionEventType), connections: new Map(connections) }
}

export function eventToWire(event: ConnectionEvent): wire.ConnectionEvent {
  return {
    type: wire.ConnectionEventType[event.type],
    connections: new Map([...event.connections].map(([id, connection]) => [id, connectionToWire(connection)])),
  }
}

export function selectorFromWire(selector: wire.MonitorScopeSelector): MonitorScopeSelector {
  return {
    pathSegments: list(selector.pathSegments, 'path_segments', (segment, at) => ({
      name: name(segment.name, `${at}.name`),
      id: name(segment.id, `${at}.id`),
      token: token(segment.token, `${at}.token`),
    })),
    networkServices: list(selector.networkServices, 'network_services', name),
  }
}

export function selectorToWire(selector: MonitorScopeSelector): wire.MonitorScopeSelector {
  return {
    pathSegments: selector.pathSegments.map((segment) => ({ ...segment, expires: undefined, metrics: new Map() })),
    networkServices: [...selector.networkServices],
  }
}

function mechanismFromWire(mechanism: wire.Mechanism, at: string): Mechanism {
  return {
    cls: name(mechanism.cls, `${at}.cls`),
    type: name(mechanism.type, `${at}.type`),
    parameters: labels(mechanism.parameters, `${at}.parameters`),
  }
}

function mechanismToWire(mechanism: Mechanism): wire.Mechanism {
  return { cls: mechanism.cls, type: mechanism.type, parameters: entries(mechanism.parameters) }
}

/** The way through five domains is 20 applications; a longer path is a loop. */
const MAX_SEGMENTS = 32

function pathFromWire(path: wire.Path | undefined, at: string): Path {
  if (path === undefined) return { index: 0, segments: [] }
  const segments = path.pathSegments
  if (segments.length > MAX_SEGMENTS) refuse(`${at}.path_segments`, `more than ${MAX_SEGMENTS} segments`)
  if (path.index >= Math.max(1, segments.length)) {
    refuse(`${at}.index`, `${path.index} is not one of the ${segments.length} segments`)
  }
  return { index: path.index, segments: list(segments, `${at}.path_segments`, segmentFromWire) }
}

function segmentFromWire(segment: wire.PathSegment, at: string): PathSegment {
  return {
    name: name(segment.name, `${at}.name`),
    id: name(segment.id, `${at}.id`),
    token: token(segment.token, `${at}.token`),
    expiresMs: timeMs(segment.expires, `${at}.expires`),
    metrics: labels(segment.metrics, `${at}.metrics`),
  }
}

function segmentToWire(segment: PathSegment): wire.PathSegment {
  return {
    name: segment.name,
    id: segment.id,
    token: segment.token,
    expires: timestamp(segment.expiresMs),
    metrics: entries(segment.metrics),
  }
}
