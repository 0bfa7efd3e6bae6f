/**
 * Which AEAD seals the transport messages between two nodes of nsmesh. The handshake is WireGuard's in any case. What
 * each side may use, and what was taken, travels in requests and answers between nodes whose certificates both have
 * checked: nobody between them can change it, and a packet cannot ask for another.
 */
export const AEADS = ['chacha20poly1305', 'aes256gcm'] as const

export type AeadName = (typeof AEADS)[number]

/** What WireGuard prescribes: every peer has it, and a foreign one has nothing else. */
export const WIREGUARD_AEAD: AeadName = 'chacha20poly1305'

export function isAeadName(text: string): text is AeadName {
  return AEADS.some((aead) => aead === text)
}

/** @returns the first of `theirs`, best first, that is one of `ours`; WireGuard's own where there is none. */
export function negotiateAead(theirs: readonly AeadName[], ours: readonly AeadName[]): AeadName {
  return theirs.find((aead) => ours.includes(aead)) ?? WIREGUARD_AEAD
}
