import type { TLSSocket } from 'node:tls'

/** Longer chains are refused by verification; a certificate that is its own issuer must not lead in circles. */
const MAX_CERTIFICATES = 6

/** The DER certificates that the other side of a TLS connection has shown, leaf first; empty when it showed none. */
export function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    if (chain.length >= MAX_CERTIFICATES || chain.some((der) => next?.raw.equals(der))) break
    chain.push(next.raw)
  }
  return chain
}
