/**
 * The mesh from the point of view of the commands: the node, reached through its local socket, and the registry of the
 * domain, reached through its admin socket. connect.ts implements it with gRPC.
 */
import type {
  domainV1,
  EndpointRegistryClient,
  MonitorClient,
  NetworkServiceClient,
  nodeV1,
  ServiceRegistryClient,
} from '../api/index.ts'

export interface NodeApi {
  status(): Promise<nodeV1.NodeStatus>
  /** All wires if `id` is empty, otherwise those with `id` in their path. */
  wires(id: string): Promise<readonly nodeV1.Wire[]>
  closeWire(id: string): Promise<void>
  explainPolicy(question: Partial<nodeV1.PolicyQuestion>): Promise<nodeV1.PolicyAnswer>
  diffPolicy(files: readonly nodeV1.PolicyFile[]): Promise<nodeV1.DiffPolicyResponse>
  readonly services: ServiceRegistryClient
  readonly endpoints: EndpointRegistryClient
  readonly networkServices: NetworkServiceClient
  readonly monitor: MonitorClient
}

export interface AdminApi {
  invite(domain: string, lifetimeMs: number): Promise<domainV1.Invitation>
  join(token: string): Promise<domainV1.Domain>
  domains(): Promise<domainV1.ListResponse>
  revoke(name: string): Promise<void>
  /** @param when a CEL condition that says for whom there; empty for everybody */
  export(service: string, domain: string, when: string): Promise<void>
  unexport(service: string, domain: string): Promise<void>
  inviteNode(node: string, lifetimeMs: number): Promise<domainV1.Invitation>
  nodes(): Promise<readonly domainV1.NodeRecord[]>
  revokeNode(node: string): Promise<void>
}

/** Connects on demand, so that a command reaches only the parts that it needs. */
export interface Mesh {
  node(): Promise<NodeApi>
  admin(): Promise<AdminApi>
  close(): Promise<void>
}

/** The terminal of a command. */
export interface Terminal {
  /** @param paint adds colours, after everything in `text` that a terminal would obey has been escaped */
  print(text: string, paint?: (text: string) => string): void
  /** All of standard input. */
  read(): Promise<string>
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  readonly isColoured: boolean
}
