/** Certificates as text (RFC 7468). */

export function certificatePem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64')
  const lines = (base64.match(/.{1,64}/g) ?? []).join('\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

/** The first certificate of the text, in DER. */
export function certificateOfPem(text: string): Uint8Array | undefined {
  const base64 = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(text)?.[1]
  return base64 === undefined ? undefined : new Uint8Array(Buffer.from(base64, 'base64'))
}
