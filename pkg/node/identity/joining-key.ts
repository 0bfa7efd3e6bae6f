import { createPrivateKey, type KeyObject } from 'node:crypto'
import { createKeyAndCsr, csrOf, type KeyAndCsr, readSecretFile, writeSecretFile } from '../../identity/index.ts'

/**
 * The key for which a node asks while it joins. It is on disk before the node asks the first time: by it the authority
 * knows the node again that has used up its token and did not get the answer.
 */
export async function joiningKey(path: string): Promise<KeyAndCsr> {
  const kept = await readSecretFile(path)
  const known = kept === undefined ? undefined : readKey(kept)
  if (known !== undefined) return { privateKey: known, csr: await csrOf(known) }
  const made = await createKeyAndCsr()
  await writeSecretFile(path, made.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
  return made
}

/** Undefined where the file is damaged: then a new token is needed. */
function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
