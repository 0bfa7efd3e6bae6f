/** NSM's services, from domain types to what a server serves. */
import {
  type ConnectionEvent,
  connectionFromWire,
  connectionToWire,
  connectionWire,
  type EndpointRegistryServer,
  endpointFromWire,
  endpointQueryFromWire,
  endpointToWire,
  eventToWire,
  foundEndpointToWire,
  foundServiceToWire,
  MAX_MESSAGE_BYTES,
  type MonitorServer,
  type NetworkServiceServer,
  networkServiceWire,
  registryWire,
  requestFromWire,
  type ServiceRegistryServer,
  selectorFromWire,
  serviceFromWire,
  serviceQueryFromWire,
  serviceToWire,
} from '../api/index.ts'
import { implement, type Service } from './implement.ts'

export function networkService(server: NetworkServiceServer): Service {
  return implement(networkServiceWire.NetworkServiceService, {
    request: async (request, call) => connectionToWire(await server.request(requestFromWire(request), call)),
    close: async (connection, call) => {
      await server.close(connectionFromWire(connection), call)
      return {}
    },
  })
}

export function monitorService(server: MonitorServer): Service {
  return implement(connectionWire.MonitorConnectionService, {
    async *monitorConnections(selector, call) {
      for await (const event of server.monitor(selectorFromWire(selector), call)) yield* fitEvent(event)
    },
  })
}

export function serviceRegistryService(server: ServiceRegistryServer): Service {
  return implement(registryWire.NetworkServiceRegistryService, {
    register: async (service, call) => serviceToWire(await server.register(serviceFromWire(service), call)),
    async *find(query, call) {
      for await (const found of server.find(serviceQueryFromWire(query), call)) yield foundServiceToWire(found)
    },
    unregister: async (service, call) => {
      await server.unregister(serviceFromWire(service), call)
      return {}
    },
  })
}

export function endpointRegistryService(server: EndpointRegistryServer): Service {
  return implement(registryWire.NetworkServiceEndpointRegistryService, {
    register: async (endpoint, call) => endpointToWire(await server.register(endpointFromWire(endpoint), call)),
    async *find(query, call) {
      for await (const found of server.find(endpointQueryFromWire(query), call)) yield foundEndpointToWire(found)
    },
    unregister: async (endpoint, call) => {
      await server.unregister(endpointFromWire(endpoint), call)
      return {}
    },
  })
}

/** Leaves room for the frame around the connections. */
const MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 1024

/** A whole table may be larger than a message: then its rest follows as updates, which say the same. */
function* fitEvent(event: ConnectionEvent): Generator<connectionWire.ConnectionEvent> {
  const { type, connections } = eventToWire(event)
  let part: connectionWire.ConnectionEvent = { type, connections: new Map() }
  let bytes = 0
  for (const [id, connection] of connections) {
    const size = connectionWire.Connection.encode(connection).finish().length + id.length + 16
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

function restType(type: connectionWire.ConnectionEventType): connectionWire.ConnectionEventType {
  const { INITIAL_STATE_TRANSFER, UPDATE } = connectionWire.ConnectionEventType
  return type === INITIAL_STATE_TRANSFER ? UPDATE : type
}
