/**
 * The SPIFFE Workload API, which provides processes with their identities. It is served in plaintext on a unix socket:
 * the caller is attested by the kernel (`call.peer.attestation`), never by its request.
 */
import type { Metadata } from '@grpc/grpc-js'
import { type Call, trustDomainOf, workloadProto } from '../api/index.ts'
import { NsmError } from '../base/index.ts'
import type { Identity } from '../identity/index.ts'
import { implement, type Service } from './implement.ts'

export interface WorkloadIdentities {
  /** Yields the caller's identity now and after each change of it or of a bundle, until the caller disconnects. */
  watch(call: Call): AsyncIterable<Identity>
}

export function workloadApiService(identities: WorkloadIdentities): Service {
  const { name, methods } = implement(workloadProto.SpiffeWorkloadAPIService, {
    async *fetchX509Svid(_, call) {
      for await (const identity of identities.watch(call)) yield svidResponse(identity)
    },
    async *fetchX509Bundles(_, call) {
      for await (const { bundles } of identities.watch(call)) yield { crl: [], bundles: concatBundles(bundles) }
    },
    fetchJwtsvid: noJwt,
    // biome-ignore lint/correctness/useYield: it always refuses
    async *fetchJwtBundles() {
      return noJwt()
    },
    validateJwtsvid: noJwt,
  })
  return { name, methods: methods.map((method) => ({ ...method, checkMetadata })) }
}

/** SPIFFE Workload Endpoint section 6.2: protects against server-side request forgery (SSRF). */
function checkMetadata(metadata: Metadata): void {
  if (metadata.get('workload.spiffe.io')[0] === 'true') return
  throw new NsmError(
    'invalid_argument',
    'Cannot serve the identity: the metadata "workload.spiffe.io: true" is missing',
  )
}

function svidResponse({ svid, bundles }: Identity): workloadProto.X509SVIDResponse {
  const domain = domainId(trustDomainOf(svid.spiffeId))
  const all = concatBundles(bundles)
  const bundle = all.get(domain) ?? Buffer.alloc(0)
  all.delete(domain)
  const key = svid.privateKey.export({ format: 'der', type: 'pkcs8' })
  const chain = Buffer.concat(svid.chain)
  const message = { spiffeId: svid.spiffeId, x509Svid: chain, x509SvidKey: key, bundle, hint: '' }
  return { svids: [message], crl: [], federatedBundles: all }
}

function concatBundles(bundles: Identity['bundles']): Map<string, Buffer> {
  return new Map([...bundles].map(([domain, authorities]) => [domainId(domain), Buffer.concat(authorities)]))
}

function domainId(trustDomain: string): string {
  return `spiffe://${trustDomain}`
}

async function noJwt(): Promise<never> {
  throw new NsmError('unimplemented', 'Cannot issue JWT-SVIDs: this authority issues X.509-SVIDs only')
}
