/** The domain's authority as a node calls it. */
import { authorityV1 } from '../api/index.ts'
import { type Callee, clientOf } from '../rpc/index.ts'
import { joinParts, trustFromProto } from './trust/trust-proto.ts'
import type { TrustState } from './trust/trust-state.ts'

/** What a certificate signing request comes to. */
export interface Issued {
  /** DER certificates, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** Our own authorities at least; everything when it is {@link isTrustWhole}. */
  readonly trust: TrustState | undefined
  readonly isTrustWhole: boolean
}

/** This run of the node daemon, as the authority knows it. */
export interface NodeRun {
  /** Where other nodes call it. */
  readonly url: string
  /** Random. */
  readonly instance: string
}

export interface AuthorityClient {
  /** @param csr PKCS#10, DER */
  joinNode(csr: Uint8Array, token: string, signal: AbortSignal): Promise<Issued>
  renew(csr: Uint8Array, signal: AbortSignal): Promise<Issued>
  /** @param path below the node's own: `uid/1000` */
  issueWorkload(csr: Uint8Array, path: string, signal: AbortSignal): Promise<Issued>
  /** The present state at once, then again after each change. */
  watchTrust(run: NodeRun, signal: AbortSignal): AsyncIterable<TrustState>
}

export function authorityClient(callee: Callee): AuthorityClient {
  const client = clientOf(authorityV1.AuthorityService, callee)
  return {
    joinNode: async (csr, token, signal) =>
      issuedFromProto(await client.joinNode({ csr: Buffer.from(csr), token }, { signal })),
    renew: async (csr, signal) => issuedFromProto(await client.renew({ csr: Buffer.from(csr) }, { signal })),
    issueWorkload: async (csr, path, signal) =>
      issuedFromProto(await client.issueWorkload({ csr: Buffer.from(csr), path, dnsNames: [] }, { signal })),
    async *watchTrust(run, signal) {
      let parts: authorityV1.TrustState[] = []
      for await (const part of client.watchTrust(run, { isEndless: true, signal })) {
        parts.push(part)
        if (part.continues) continue
        yield joinParts(parts)
        parts = []
      }
    },
  }
}

function issuedFromProto({ chain, trust }: authorityV1.IdentityResponse): Issued {
  return { chain, trust: trust && trustFromProto(trust), isTrustWhole: trust?.continues === false }
}
