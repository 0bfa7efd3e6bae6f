import { NsmError } from '../../base/index.ts'
import { readSecretFile, writeSecretFile } from '../../identity/index.ts'
import { generateKey, isWireKey, publicKeyOf, type WireKey } from '../../mechanism/index.ts'

/**
 * The X25519 key with which this node answers handshakes. It lasts as long as the state directory, so that the wires of
 * other nodes find it again after a restart.
 */
export async function nodeKey(path: string): Promise<WireKey> {
  const kept = (await readSecretFile(path))?.trim()
  if (kept === undefined) {
    const key = generateKey()
    await writeSecretFile(path, `${key.privateKey}\n`)
    return key
  }
  if (isWireKey(kept)) return { privateKey: kept, publicKey: publicKeyOf(kept) }
  throw new NsmError('failed_precondition', "Cannot read the node's key: its file is damaged", {
    fields: { path },
    next: 'remove the file: the node gets a new key, and its wires are set up again',
  })
}
