import type { TLSSocket } from 'node:tls'

/** Verification refuses chains of this length. The limit also ends the loop for certificates that issued each other. */
const MAX_CERTIFICATES = 6

/** The DER certificates that the peer of a TLS connection has presented, leaf first; empty if it presented none. */
export function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) {
    if (chain.length >= MAX_CERTIFICATES || chain.some((der) => next?.raw.equals(der))) break
    chain.push(next.raw)
  }
  return chain
}
