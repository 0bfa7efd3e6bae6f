import { NsmError } from '../base/index.ts'

/** @throws {NsmError} `invalid_argument` unless `text` is six hexadecimal octets separated by colons */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new NsmError(
      'invalid_argument',
      'Cannot parse the MAC address: it is not six octets such as 02:00:5e:10:00:01',
      {
        fields: { mac: text.slice(0, 64) },
      },
    )
  }
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16))
}

/** Lower case, separated by colons; empty for a link without an address, such as a TUN device. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}

export function normalizeMac(text: string): string {
  return formatMac(parseMac(text))
}
