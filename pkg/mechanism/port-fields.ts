/**
 * A port as a table of fields, each of which knows its attributes of the local protocol. One table serves both ways,
 * and the compiler holds it to the type: a field that is forgotten does not compile.
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

/** @throws {NsmError} `internal` for what the protocol does not allow */
export function readFields<Port>(fields: Fields<Port>, attributes: Attributes): Port {
  const port: Partial<Port> = {}
  for (const name in fields) port[name] = fields[name].read(attributes)
  return port as Port // the table has all of its fields
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

/** 0 where it is left out. */
export function u16Field(type: number): Field<number> {
  return {
    write: (value) => [attribute.u16(type, value)],
    read: (attributes) => attributes.u16(type) ?? 0,
  }
}

/** False where it is left out. */
export function flagField(type: number): Field<boolean> {
  return {
    write: (value) => [attribute.u8(type, value ? 1 : 0)],
    read: (attributes) => attributes.u8(type) === 1,
  }
}

/** Names for numbers. @throws {NsmError} `internal` for a number without a name, and where it is left out */
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

/** Keys are base64 outside and 32 bytes inside. */
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
