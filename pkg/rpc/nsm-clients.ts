/** Clients of NSM's services in domain types. What a peer answers is checked as strictly as what a caller sends. */
import {
  connectionFromWire,
  connectionToWire,
  connectionWire,
  type EndpointRegistryClient,
  endpointFromWire,
  endpointQueryToWire,
  endpointToWire,
  eventFromWire,
  foundEndpointFromWire,
  foundServiceFromWire,
  type MonitorClient,
  type NetworkServiceClient,
  networkServiceWire,
  type Outgoing,
  registryWire,
  requestToWire,
  type ServiceRegistryClient,
  selectorToWire,
  serviceFromWire,
  serviceQueryToWire,
  serviceToWire,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Channel } from './channel.ts'
import { clientOf } from './client.ts'

export function networkServiceClient(channel: Channel): NetworkServiceClient {
  const client = clientOf(networkServiceWire.NetworkServiceService, channel)
  return {
    request: async (request, call) => read(connectionFromWire, await client.request(requestToWire(request), call)),
    close: async (connection, call) => void (await client.close(connectionToWire(connection), call)),
  }
}

export function monitorClient(channel: Channel): MonitorClient {
  const client = clientOf(connectionWire.MonitorConnectionService, channel)
  return {
    monitor: (selector, call) => readAll(eventFromWire, client.monitorConnections(selectorToWire(selector), call)),
  }
}

export function serviceRegistryClient(channel: Channel): ServiceRegistryClient {
  const client = clientOf(registryWire.NetworkServiceRegistryService, channel)
  return {
    register: async (service, call) =>
      read(serviceFromWire, await client.register(serviceToWire(service), onPath(call))),
    find: (query, call) => readAll(foundServiceFromWire, client.find(serviceQueryToWire(query), call)),
    unregister: async (service, call) => void (await client.unregister(serviceToWire(service), onPath(call))),
  }
}

export function endpointRegistryClient(channel: Channel): EndpointRegistryClient {
  const client = clientOf(registryWire.NetworkServiceEndpointRegistryService, channel)
  return {
    register: async (endpoint, call) =>
      read(endpointFromWire, await client.register(endpointToWire(endpoint), onPath(call))),
    find: (query, call) => readAll(foundEndpointFromWire, client.find(endpointQueryToWire(query), call)),
    unregister: async (endpoint, call) => void (await client.unregister(endpointToWire(endpoint), onPath(call))),
  }
}

/** A registration always has a path, if only the one that begins here. */
function onPath(call: Outgoing): Outgoing {
  return { ...call, path: call.path ?? { index: 0, tokens: [] } }
}

function read<W, T>(fromWire: (wire: W) => T, wire: W): T {
  try {
    return fromWire(wire)
  } catch (cause) {
    throw new NsmError('internal', 'Cannot use answer of peer', { cause })
  }
}

async function* readAll<W, T>(fromWire: (wire: W) => T, wires: AsyncIterable<W>): AsyncGenerator<T> {
  for await (const wire of wires) yield read(fromWire, wire)
}
