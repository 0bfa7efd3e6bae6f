import type {
  Connection,
  ConnectionEvent,
  ConnectionRequest,
  Mechanism,
  MonitorScopeSelector,
  Path,
  PathSegment,
} from '../connection.ts'
import * as proto from '../gen/connection/connection.ts'
import type { NetworkServiceRequest } from '../gen/networkservice/networkservice.ts'
import { contextFromProto, contextToProto } from './context.ts'
import {
  entries,
  labels,
  list,
  literal,
  MAX_PATH_SEGMENTS,
  name,
  refuse,
  required,
  timeMs,
  timestamp,
  token,
} from './field-checks.ts'

/** @throws {NsmError} `invalid_argument` with the name of the invalid field, like every `…FromProto` function */
export function requestFromProto(request: NetworkServiceRequest): ConnectionRequest {
  return {
    connection: connectionFromProto(required(request.connection, 'connection')),
    mechanismPreferences: list(request.mechanismPreferences, 'mechanism_preferences', mechanismFromProto),
  }
}

export function requestToProto(request: ConnectionRequest): NetworkServiceRequest {
  return {
    connection: connectionToProto(request.connection),
    mechanismPreferences: request.mechanismPreferences.map(mechanismToProto),
  }
}

export function connectionFromProto(connection: proto.Connection, at = 'connection'): Connection {
  const { mechanism } = connection
  return {
    id: name(connection.id, `${at}.id`),
    networkService: name(connection.networkService, `${at}.network_service`),
    mechanism: mechanism && mechanismFromProto(mechanism, `${at}.mechanism`),
    context: contextFromProto(connection.context, `${at}.context`),
    labels: labels(connection.labels, `${at}.labels`),
    path: pathFromProto(connection.path, `${at}.path`),
    endpointName: name(connection.networkServiceEndpointName, `${at}.network_service_endpoint_name`),
    payload: name(connection.payload, `${at}.payload`),
    state: literal(connection.state, `${at}.state`, proto.State),
  }
}

export function connectionToProto(connection: Connection): proto.Connection {
  return {
    id: connection.id,
    networkService: connection.networkService,
    mechanism: connection.mechanism && mechanismToProto(connection.mechanism),
    context: contextToProto(connection.context),
    labels: entries(connection.labels),
    path: { index: connection.path.index, pathSegments: connection.path.segments.map(segmentToProto) },
    networkServiceEndpointName: connection.endpointName,
    payload: connection.payload,
    state: proto.State[connection.state],
  }
}

export function eventFromProto(event: proto.ConnectionEvent): ConnectionEvent {
  // Limited by the size of a message only: one event may contain all connections of a node.
  const connections = [...event.connections].map(
    ([id, connection]) => [name(id, 'connections'), connectionFromProto(connection, 'connections[]')] as const,
  )
  return { type: literal(event.type, 'type', proto.ConnectionEventType), connections: new Map(connections) }
}

export function eventToProto(event: ConnectionEvent): proto.ConnectionEvent {
  return {
    type: proto.ConnectionEventType[event.type],
    connections: new Map([...event.connections].map(([id, connection]) => [id, connectionToProto(connection)])),
  }
}

export function selectorFromProto(selector: proto.MonitorScopeSelector): MonitorScopeSelector {
  return {
    pathSegments: list(selector.pathSegments, 'path_segments', (segment, at) => ({
      name: name(segment.name, `${at}.name`),
      id: name(segment.id, `${at}.id`),
      token: token(segment.token, `${at}.token`),
    })),
    networkServices: list(selector.networkServices, 'network_services', name),
  }
}

export function selectorToProto(selector: MonitorScopeSelector): proto.MonitorScopeSelector {
  return {
    pathSegments: selector.pathSegments.map((segment) => ({ ...segment, expires: undefined, metrics: new Map() })),
    networkServices: [...selector.networkServices],
  }
}

function mechanismFromProto(mechanism: proto.Mechanism, at: string): Mechanism {
  return {
    cls: name(mechanism.cls, `${at}.cls`),
    type: name(mechanism.type, `${at}.type`),
    parameters: labels(mechanism.parameters, `${at}.parameters`),
  }
}

function mechanismToProto(mechanism: Mechanism): proto.Mechanism {
  return { cls: mechanism.cls, type: mechanism.type, parameters: entries(mechanism.parameters) }
}

function pathFromProto(path: proto.Path | undefined, at: string): Path {
  if (path === undefined) return { index: 0, segments: [] }
  const segments = path.pathSegments
  if (segments.length > MAX_PATH_SEGMENTS) refuse(`${at}.path_segments`, `more than ${MAX_PATH_SEGMENTS} segments`)
  if (path.index >= Math.max(1, segments.length)) {
    refuse(`${at}.index`, `${path.index} is not one of the ${segments.length} segments`)
  }
  return { index: path.index, segments: list(segments, `${at}.path_segments`, segmentFromProto) }
}

function segmentFromProto(segment: proto.PathSegment, at: string): PathSegment {
  return {
    name: name(segment.name, `${at}.name`),
    id: name(segment.id, `${at}.id`),
    token: token(segment.token, `${at}.token`),
    expiresMs: timeMs(segment.expires, `${at}.expires`),
    metrics: labels(segment.metrics, `${at}.metrics`),
  }
}

function segmentToProto(segment: PathSegment): proto.PathSegment {
  return {
    name: segment.name,
    id: segment.id,
    token: segment.token,
    expires: timestamp(segment.expiresMs),
    metrics: entries(segment.metrics),
  }
}
