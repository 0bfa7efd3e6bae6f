/** Clients of NSM's services in domain types. Answers of peers are checked as strictly as requests of callers. */
import {
  type Connection,
  connectionFromProto,
  connectionProto,
  connectionToProto,
  type EndpointRegistryClient,
  endpointFromProto,
  endpointQueryToProto,
  endpointToProto,
  eventFromProto,
  foundEndpointFromProto,
  foundServiceFromProto,
  type MonitorClient,
  type NetworkServiceClient,
  networkServiceProto,
  type Outgoing,
  registryProto,
  requestToProto,
  type ServiceRegistryClient,
  selectorToProto,
  serviceFromProto,
  serviceQueryToProto,
  serviceToProto,
} from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Callee } from './channel.ts'
import { clientOf } from './client.ts'

export function networkServiceClient(callee: Callee): NetworkServiceClient {
  const client = clientOf(networkServiceProto.NetworkServiceService, callee)
  return {
    request: async (request, call) =>
      read(connectionFromProto, await client.request(requestToProto(request), about(request.connection, call))),
    close: async (connection, call) =>
      void (await client.close(connectionToProto(connection), about(connection, call))),
  }
}

/** The token of the call is for this connection alone. */
function about({ id, networkService }: Connection, call: Outgoing): Outgoing {
  return { ...call, binding: { connection: id, service: networkService } }
}

export function monitorClient(callee: Callee): MonitorClient {
  const client = clientOf(connectionProto.MonitorConnectionService, callee)
  return {
    monitor: (selector, call) =>
      readAll(eventFromProto, client.monitorConnections(selectorToProto(selector), endless(call))),
  }
}

export function serviceRegistryClient(callee: Callee): ServiceRegistryClient {
  const client = clientOf(registryProto.NetworkServiceRegistryService, callee)
  return {
    register: async (service, call) =>
      read(serviceFromProto, await client.register(serviceToProto(service), onPath(call))),
    find: (query, call) =>
      readAll(foundServiceFromProto, client.find(serviceQueryToProto(query), query.watch ? endless(call) : call)),
    unregister: async (service, call) => void (await client.unregister(serviceToProto(service), onPath(call))),
  }
}

export function endpointRegistryClient(callee: Callee): EndpointRegistryClient {
  const client = clientOf(registryProto.NetworkServiceEndpointRegistryService, callee)
  return {
    register: async (endpoint, call) =>
      read(endpointFromProto, await client.register(endpointToProto(endpoint), onPath(call))),
    find: (query, call) =>
      readAll(foundEndpointFromProto, client.find(endpointQueryToProto(query), query.watch ? endless(call) : call)),
    unregister: async (endpoint, call) => void (await client.unregister(endpointToProto(endpoint), onPath(call))),
  }
}

function endless({ signal }: Outgoing): Outgoing {
  return { isEndless: true, signal }
}

/** Every registration has a path; without an incoming call it begins here. */
function onPath(call: Outgoing): Outgoing {
  return { ...call, path: call.path ?? { index: 0, tokens: [] } }
}

function read<P, T>(fromProto: (message: P) => T, message: P): T {
  try {
    return fromProto(message)
  } catch (cause) {
    throw new NsmError('internal', 'Cannot use the answer of the peer: it is invalid', { cause })
  }
}

async function* readAll<P, T>(fromProto: (message: P) => T, messages: AsyncIterable<P>): AsyncGenerator<T> {
  for await (const message of messages) yield read(fromProto, message)
}
