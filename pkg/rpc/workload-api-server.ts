/**
 * The SPIFFE Workload API, over which every process gets its identity. It is spoken in plaintext on a unix socket: who
 * asks is known from the kernel (`call.peer.attestation`), never from what is asked.
 */
import type { Metadata } from '@grpc/grpc-js'
import { type Call, trustDomainOf, workloadProto } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Identity } from '../identity/index.ts'
import { implement, type Service } from './implement.ts'

export interface WorkloadIdentities {
  /** The caller's identity at once, then again after each change of it or of a bundle, until the caller leaves. */
  watch(call: Call): AsyncIterable<Identity>
}

export function workloadApiService(identities: WorkloadIdentities): Service {
  const { name, methods } = implement(workloadProto.SpiffeWorkloadAPIService, {
    async *fetchX509Svid(_, call) {
      for await (const identity of identities.watch(call)) yield svidResponse(identity)
    },
    async *fetchX509Bundles(_, call) {
      for await (const { bundles } of identities.watch(call)) yield { crl: [], bundles: wireBundles(bundles) }
    },
    fetchJwtsvid: noJwt,
    // biome-ignore lint/correctness/useYield: it only refuses
    async *fetchJwtBundles() {
      return noJwt()
    },
    validateJwtsvid: noJwt,
  })
  return { name, methods: methods.map((method) => ({ ...method, checkMetadata })) }
}

/** SPIFFE Workload Endpoint section 6.2: keeps browsers and the like from being sent here by somebody else. */
function checkMetadata(metadata: Metadata): void {
  if (metadata.get('workload.spiffe.io')[0] === 'true') return
  throw new NsmError('invalid_argument', 'Cannot serve identity: metadata "workload.spiffe.io: true" is missing')
}

function svidResponse({ svid, bundles }: Identity): workloadProto.X509SVIDResponse {
  const domain = domainId(trustDomainOf(svid.spiffeId))
  const all = wireBundles(bundles)
  const bundle = all.get(domain) ?? Buffer.alloc(0)
  all.delete(domain)
  const key = svid.privateKey.export({ format: 'der', type: 'pkcs8' })
  const chain = Buffer.concat(svid.chain)
  const wire = { spiffeId: svid.spiffeId, x509Svid: chain, x509SvidKey: key, bundle, hint: '' }
  return { svids: [wire], crl: [], federatedBundles: all }
}

function wireBundles(bundles: Identity['bundles']): Map<string, Buffer> {
  return new Map([...bundles].map(([domain, authorities]) => [domainId(domain), Buffer.concat(authorities)]))
}

function domainId(trustDomain: string): string {
  return `spiffe://${trustDomain}`
}

async function noJwt(): Promise<never> {
  throw new NsmError('unimplemented', 'Cannot issue JWT-SVIDs: this authority issues X.509-SVIDs only')
}
