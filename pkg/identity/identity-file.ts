import { createPrivateKey } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'
import type { Identity } from './svid.ts'

/** Stores an identity in a file with mode 0600, so that a restarted process has it before the authority answers. */
export function identityFile(path: string) {
  return {
    async load(): Promise<Identity | undefined> {
      const text = await readSecretFile(path)
      return text === undefined ? undefined : parse(text, path)
    },
    save: (identity: Identity): Promise<void> => writeSecretFile(path, format(identity)),
  }
}

/** The content of the file. Certificates are DER in base64. */
interface StoredIdentity {
  readonly version: 1
  readonly spiffeId: string
  readonly expiresMs: number
  readonly privateKey: string
  readonly chain: readonly string[]
  readonly bundles: Readonly<Record<string, readonly string[]>>
}

function format({ svid, bundles }: Identity): string {
  const stored: StoredIdentity = {
    version: 1,
    spiffeId: svid.spiffeId,
    expiresMs: svid.expiresMs,
    privateKey: svid.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    chain: svid.chain.map(toBase64),
    bundles: Object.fromEntries([...bundles].map(([domain, authorities]) => [domain, authorities.map(toBase64)])),
  }
  return `${JSON.stringify(stored, undefined, 2)}\n`
}

function parse(text: string, path: string): Identity {
  try {
    const stored = JSON.parse(text) as StoredIdentity
    if (stored.version !== 1) throw new Error(`version ${stored.version} of the file is not supported`)
    const { spiffeId, expiresMs, privateKey, chain, bundles } = stored
    return {
      svid: { spiffeId, expiresMs, privateKey: createPrivateKey(privateKey), chain: chain.map(fromBase64) },
      bundles: new Map(Object.entries(bundles).map(([domain, list]) => [domain, list.map(fromBase64)])),
    }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot read the identity: its file is damaged', {
      cause,
      fields: { path },
      next: 'remove the file and join the domain again',
    })
  }
}

function toBase64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
