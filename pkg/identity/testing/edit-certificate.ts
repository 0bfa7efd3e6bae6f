/** For tests: writes DER, and puts other fields into a certificate. Its signature is then wrong, which no reader minds. */
import { type Element, readAll, readOnly, tags } from '../der.ts'

type Bytes = readonly number[] | Uint8Array

/** One DER element. */
export function der(tag: number, ...contents: readonly Bytes[]): Uint8Array {
  const content = contents.flatMap((each) => [...each])
  return new Uint8Array([tag, ...lengthOf(content.length), ...content])
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}

export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** In the order of a TBSCertificate. */
const fields = ['version', 'serial', 'algorithm', 'issuer', 'validity', 'subject', 'key', 'extensions'] as const
type Field = (typeof fields)[number]

export interface Edit extends Partial<Readonly<Record<Field, Uint8Array>>> {
  /** The signature algorithm outside of what is signed. */
  readonly outerAlgorithm?: Uint8Array
  readonly signature?: Uint8Array
}

/** The certificate with other elements in place of those named. */
export function edit(certificate: Uint8Array, changes: Edit): Uint8Array {
  const [tbs, algorithm, signature] = readAll(readOnly(certificate, tags.sequence).value)
  const kept = readAll(tbs?.value ?? new Uint8Array())
  const parts = fields.map((field, at) => changes[field] ?? raw(kept[at]))
  return der(
    tags.sequence,
    der(tags.sequence, ...parts),
    changes.outerAlgorithm ?? raw(algorithm),
    changes.signature ?? raw(signature),
  )
}

export function fieldOf(certificate: Uint8Array, field: Field): Uint8Array {
  const [tbs] = readAll(readOnly(certificate, tags.sequence).value)
  return raw(readAll(tbs?.value ?? new Uint8Array())[fields.indexOf(field)])
}

/** The certificate with one extension more. */
export function extend(certificate: Uint8Array, ...added: readonly Uint8Array[]): Uint8Array {
  const [list] = readAll(readAll(fieldOf(certificate, 'extensions'))[0]?.value ?? new Uint8Array())
  return edit(certificate, { extensions: der(0xa3, der(tags.sequence, list?.value ?? [], ...added)) })
}

export interface ExtensionShape {
  /** The content of its object identifier, in hexadecimal. */
  readonly oid: string
  /** Of its BOOLEAN; absent for none. */
  readonly critical?: number
  readonly value: Uint8Array
}

export function extension({ oid, critical, value }: ExtensionShape): Uint8Array {
  const flag = critical === undefined ? [] : der(tags.boolean, [critical])
  return der(tags.sequence, der(tags.oid, hex(oid)), flag, der(tags.octetString, value))
}

function raw(element: Element | undefined): Uint8Array {
  return element?.raw ?? new Uint8Array()
}
