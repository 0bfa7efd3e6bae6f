/** The variables of conditions with their types: what the type check, the documentation and `nsmctl` go by. */
export interface VariableText {
  readonly name: string
  readonly type: 'string' | 'Identity' | 'Claims'
  readonly about: string
}

export const VARIABLES: readonly VariableText[] = [
  { name: 'action', type: 'string', about: 'what is done: request, serve, watch, administer, federate or route' },
  { name: 'domain', type: 'string', about: 'the name of this domain' },
  {
    name: 'caller',
    type: 'Identity',
    about: 'the peer of the call: a workload, or the node or registry that asks for one',
  },
  { name: 'client', type: 'Identity', about: 'the first identity that the path proves: the workload that asks' },
  { name: 'service', type: 'string', about: 'the network service: files, or files@east for one of another domain' },
  { name: 'endpoint', type: 'string', about: 'the name of the endpoint; empty where none is involved' },
  { name: 'payload', type: 'string', about: 'what the wire carries: IP or ETHERNET' },
  {
    name: 'mechanism',
    type: 'string',
    about: 'how the caller is joined to this node, in the words of NSM: KERNEL, WIREGUARD',
  },
  { name: 'operation', type: 'string', about: 'for administer: the method, such as CloseWire' },
  {
    name: 'claimed',
    type: 'Claims',
    about: 'what the client, or the endpoint that registers, says of itself; nobody verified it',
  },
]

/** All are strings. */
export const IDENTITY_FIELDS: Readonly<Record<string, string>> = {
  id: 'the whole SPIFFE ID',
  domain: 'its trust domain',
  path: 'what follows the trust domain, with the slash',
  kind: 'registry, node or workload',
  node: 'the node that attested it',
  uid: 'the user id on that node, from the kernel',
  ns: 'the Kubernetes namespace',
  sa: 'the Kubernetes service account',
}

export const CLAIMS_FIELDS: Readonly<Record<string, string>> = {
  labels: 'a map from string to string',
}
