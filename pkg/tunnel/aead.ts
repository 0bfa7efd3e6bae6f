/** Which AEAD seals the transport messages between two nodes of nsmesh. The handshake is WireGuard's in any case. */
export type AeadName = 'chacha20poly1305' | 'aes256gcm'

export function isAeadName(text: string): text is AeadName {
  return text === 'chacha20poly1305' || text === 'aes256gcm'
}

/** AES-256-GCM where both sides offer it, else what WireGuard prescribes and a foreign peer expects. */
export function negotiateAead(theirs: readonly AeadName[], ours: readonly AeadName[]): AeadName {
  const canBoth = theirs.includes('aes256gcm') && ours.includes('aes256gcm')
  return canBoth ? 'aes256gcm' : 'chacha20poly1305'
}
