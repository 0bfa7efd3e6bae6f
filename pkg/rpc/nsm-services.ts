/** NSM's services: adapts servers in terms of domain types to gRPC. */
import {
  type ConnectionEvent,
  connectionFromProto,
  connectionProto,
  connectionToProto,
  type EndpointRegistryServer,
  endpointFromProto,
  endpointQueryFromProto,
  endpointToProto,
  eventToProto,
  type Found,
  foundEndpointToProto,
  foundServiceToProto,
  MAX_MESSAGE_BYTES,
  type MonitorServer,
  type NetworkServiceEndpoint,
  type NetworkServiceServer,
  networkServiceProto,
  registryProto,
  requestFromProto,
  type ServiceRegistryServer,
  selectorFromProto,
  serviceFromProto,
  serviceQueryFromProto,
  serviceToProto,
} from '../api/index.ts'
import { connectionAt, endpointAt, eventAt } from './clocks.ts'
import { implement, type Service } from './implement.ts'

export function networkService(server: NetworkServiceServer): Service {
  return implement(networkServiceProto.NetworkServiceService, {
    request: async (message, call) => {
      const { aheadMs = 0 } = call
      const { connection, ...request } = requestFromProto(message)
      const asked = { ...request, connection: connectionAt(connection, -aheadMs) }
      return connectionToProto(connectionAt(await server.request(asked, call), aheadMs))
    },
    close: async (message, { aheadMs = 0, ...call }) => {
      await server.close(connectionAt(connectionFromProto(message), -aheadMs), { ...call, aheadMs })
      return {}
    },
  })
}

export function monitorService(server: MonitorServer): Service {
  return implement(connectionProto.MonitorConnectionService, {
    async *monitorConnections(selector, call) {
      for await (const event of server.monitor(selectorFromProto(selector), call))
        yield* fitEvent(eventAt(event, call.aheadMs))
    },
  })
}

export function serviceRegistryService(server: ServiceRegistryServer): Service {
  return implement(registryProto.NetworkServiceRegistryService, {
    register: async (service, call) => serviceToProto(await server.register(serviceFromProto(service), call)),
    async *find(query, call) {
      for await (const found of server.find(serviceQueryFromProto(query), call)) yield foundServiceToProto(found)
    },
    unregister: async (service, call) => {
      await server.unregister(serviceFromProto(service), call)
      return {}
    },
  })
}

export function endpointRegistryService(server: EndpointRegistryServer): Service {
  return implement(registryProto.NetworkServiceEndpointRegistryService, {
    register: async (message, call) => {
      const { aheadMs = 0 } = call
      const registered = await server.register(endpointAt(endpointFromProto(message), -aheadMs), call)
      return endpointToProto(endpointAt(registered, aheadMs))
    },
    async *find(query, call) {
      for await (const found of server.find(endpointQueryFromProto(query), call)) {
        yield endpointAnswer({ ...found, value: endpointAt(found.value, call.aheadMs) })
      }
    },
    unregister: async (endpoint, call) => {
      await server.unregister(endpointFromProto(endpoint), call)
      return {}
    },
  })
}

const answers = new WeakMap<NetworkServiceEndpoint, registryProto.NetworkServiceEndpointResponse>()

/** The same answer for the same endpoint, so that it is encoded once. */
function endpointAnswer(found: Found<NetworkServiceEndpoint>): registryProto.NetworkServiceEndpointResponse {
  const known = found.deleted ? undefined : answers.get(found.value)
  if (known !== undefined) return known
  const answer = foundEndpointToProto(found)
  if (!found.deleted) answers.set(found.value, answer)
  return answer
}

/** Leaves room for the rest of the message. */
const MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 1024

/** Splits an event that is larger than a message. An initial state continues as updates, which are equivalent. */
function* fitEvent(event: ConnectionEvent): Generator<connectionProto.ConnectionEvent> {
  const { type, connections } = eventToProto(event)
  let part: connectionProto.ConnectionEvent = { type, connections: new Map() }
  let bytes = 0
  for (const [id, connection] of connections) {
    const size = connectionProto.Connection.encode(connection).finish().length + id.length + 16
    if (bytes + size > MAX_EVENT_BYTES && part.connections.size > 0) {
      yield part
      part = { type: restType(type), connections: new Map() }
      bytes = 0
    }
    part.connections.set(id, connection)
    bytes += size
  }
  yield part
}

function restType(type: connectionProto.ConnectionEventType): connectionProto.ConnectionEventType {
  const { INITIAL_STATE_TRANSFER, UPDATE } = connectionProto.ConnectionEventType
  return type === INITIAL_STATE_TRANSFER ? UPDATE : type
}
