import { createPrivateKey } from 'node:crypto'
import { NsmError } from '../base/index.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'
import type { Identity } from './svid.ts'

/** Keeps an identity in a file of mode 0600, so that a restarted process has it before the authority answers. */
export function identityFile(path: string) {
  return {
    async load(): Promise<Identity | undefined> {
      const text = await readSecretFile(path)
      return text === undefined ? undefined : parse(text, path)
    },
    save: (identity: Identity): Promise<void> => writeSecretFile(path, format(identity)),
  }
}

/** Certificates in base64 of DER. */
interface Kept {
  readonly version: 1
  readonly spiffeId: string
  readonly expiresMs: number
  readonly privateKey: string
  readonly chain: readonly string[]
  readonly bundles: Readonly<Record<string, readonly string[]>>
}

function format({ svid, bundles }: Identity): string {
  const kept: Kept = {
    version: 1,
    spiffeId: svid.spiffeId,
    expiresMs: svid.expiresMs,
    privateKey: svid.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    chain: svid.chain.map(toBase64),
    bundles: Object.fromEntries([...bundles].map(([domain, authorities]) => [domain, authorities.map(toBase64)])),
  }
  return `${JSON.stringify(kept, undefined, 2)}\n`
}

function parse(text: string, path: string): Identity {
  try {
    const kept = JSON.parse(text) as Kept
    if (kept.version !== 1) throw new Error(`Version ${kept.version} of the file is not known`)
    const { spiffeId, expiresMs, privateKey, chain, bundles } = kept
    return {
      svid: { spiffeId, expiresMs, privateKey: createPrivateKey(privateKey), chain: chain.map(fromBase64) },
      bundles: new Map(Object.entries(bundles).map(([domain, list]) => [domain, list.map(fromBase64)])),
    }
  } catch (cause) {
    throw new NsmError('failed_precondition', 'Cannot read identity: its file is damaged', {
      cause,
      fields: { path },
      next: 'Remove the file and join the domain again',
    })
  }
}

function toBase64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'))
}
