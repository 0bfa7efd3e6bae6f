/**
 * Describes a port as a table of fields. Each field writes and reads its own attributes of the local protocol, so one
 * table serves both directions. The compiler checks the table against the type: a missing field does not compile.
 */

import type { SocketAddress } from '../net/index.ts'
import {
  type Attribute,
  type Attributes,
  attribute,
  malformedReply,
  peerAttributes,
  prefixAttribute,
  readPeer,
  readPrefix,
  required,
} from '../netlink/index.ts'
import { keyBytes, keyText } from './key.ts'

export interface Field<T> {
  write(value: T): readonly Attribute[]
  read(attributes: Attributes): T
}

export type Fields<Port> = { readonly [Name in keyof Port]: Field<Port[Name]> }

export function writeFields<Port>(fields: Fields<Port>, port: Port): readonly Attribute[] {
  const attributes: Attribute[] = []
  for (const name in fields) attributes.push(...fields[name].write(port[name]))
  return attributes
}

/** @throws {NsmError} `internal` for a reply that breaks the protocol */
export function readFields<Port>(fields: Fields<Port>, attributes: Attributes): Port {
  const port: Partial<Port> = {}
  for (const name in fields) port[name] = fields[name].read(attributes)
  return port as Port // complete, because the table is
}

export function textField(type: number): Field<string> {
  return {
    write: (value) => [attribute.text(type, value)],
    read: (attributes) => required('port', type, attributes.text(type)),
  }
}

export function u32Field(type: number): Field<number> {
  return {
    write: (value) => [attribute.u32(type, value)],
    read: (attributes) => required('port', type, attributes.u32(type)),
  }
}

/** 0 if it is absent. */
export function u16Field(type: number): Field<number> {
  return {
    write: (value) => [attribute.u16(type, value)],
    read: (attributes) => attributes.u16(type) ?? 0,
  }
}

/** False if it is absent. */
export function flagField(type: number): Field<boolean> {
  return {
    write: (value) => [attribute.u8(type, value ? 1 : 0)],
    read: (attributes) => attributes.u8(type) === 1,
  }
}

/** Translates names and numbers. @throws {NsmError} `internal` for a number without a name, or if it is absent */
export function nameField<Name extends string>(type: number, numbers: Readonly<Record<Name, number>>): Field<Name> {
  const names = Object.keys(numbers) as Name[]
  return {
    write: (name) => [attribute.u8(type, numbers[name])],
    read: (attributes) => {
      const name = names.find((each) => numbers[each] === attributes.u8(type))
      if (name === undefined) throw malformedReply('port', type)
      return name
    },
  }
}

/** A key: base64 for us, 32 bytes in the protocol. */
export function keyField(type: number): Field<string> {
  return {
    write: (value) => [attribute.bytes(type, keyBytes(value))],
    read: (attributes) => keyText(required('port', type, attributes.bytes(type))),
  }
}

export function prefixesField(type: number): Field<readonly string[]> {
  return {
    write: (prefixes) => prefixes.map((prefix) => prefixAttribute(type, prefix)),
    read: (attributes) => attributes.all(type).map(readPrefix),
  }
}

export const peerField: Field<SocketAddress> = { write: peerAttributes, read: readPeer }
