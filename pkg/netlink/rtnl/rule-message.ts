/** Messages about policy routing rules (`ip rule`): struct fib_rule_hdr and FRA_* attributes. */
import { type Attribute, attribute } from '../attribute.ts'
import { attributesAfter } from '../attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, readStruct, viewOf } from '../bytes.ts'
import type { Message } from '../message.ts'
import { addressFamily, change, create, dump, type RtnlRequest, rtnlType } from './request.ts'
import { NSM_PROTOCOL } from './route-message.ts'

const FIB_RULE_HEADER_BYTES = 12
const FRA_SRC = 2
const FRA_PRIORITY = 6
const FRA_TABLE = 15
const FRA_PROTOCOL = 21
const FRA_IP_PROTO = 22
const FRA_SPORT_RANGE = 23
const FRA_DPORT_RANGE = 24
const FR_ACT_TO_TBL = 1
const PORT_RANGE_BYTES = 4
/**
 * Our rules come before the rule of the main table (32766). They all have the same priority: then the kernel detects a
 * duplicate, which it does not when it chooses the priority itself, and evaluates the rules in the order of creation.
 */
const PRIORITY = 32_000

export interface PortRange {
  readonly first: number
  readonly last: number
}

export interface RuleMessage {
  /** 4 or 16 bytes, host bits zero. */
  readonly source: Uint8Array
  readonly prefixLength: number
  /** 0 for any protocol. */
  readonly ipProtocol: number
  readonly sourcePorts: PortRange | undefined
  readonly destinationPorts: PortRange | undefined
  readonly table: number
}

export function addRule(rule: RuleMessage): RtnlRequest {
  return create(ruleRequest(rtnlType.newRule, rule))
}

export function deleteRule(rule: RuleMessage): RtnlRequest {
  return change(ruleRequest(rtnlType.deleteRule, rule))
}

export function dumpRules(family: number): RtnlRequest {
  return dump(rtnlType.getRule, Uint8Array.of(family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
}

/** Returns undefined for a rule that is not ours. @throws {NsmError} `invalid_argument` for a malformed message */
export function readRule({ body }: Message): RuleMessage | undefined {
  const view = readStruct(body, FIB_RULE_HEADER_BYTES, 'the rule')
  const attributes = attributesAfter(body, FIB_RULE_HEADER_BYTES, 'the rule')
  if (attributes.u8(FRA_PROTOCOL) !== NSM_PROTOCOL) return undefined
  const anywhere = new Uint8Array(view.getUint8(0) === addressFamily(new Uint8Array(4)) ? 4 : 16)
  return {
    source: attributes.bytes(FRA_SRC) ?? anywhere,
    prefixLength: view.getUint8(2),
    ipProtocol: attributes.u8(FRA_IP_PROTO) ?? 0,
    sourcePorts: readPorts(attributes.bytes(FRA_SPORT_RANGE)),
    destinationPorts: readPorts(attributes.bytes(FRA_DPORT_RANGE)),
    table: attributes.u32(FRA_TABLE) ?? view.getUint8(4),
  }
}

function ruleRequest(type: number, rule: RuleMessage) {
  const { source, prefixLength, ipProtocol, sourcePorts, destinationPorts, table } = rule
  const attributes: readonly Attribute[] = [
    ...(prefixLength === 0 ? [] : [attribute.bytes(FRA_SRC, source)]),
    attribute.u32(FRA_PRIORITY, PRIORITY),
    attribute.u32(FRA_TABLE, table),
    attribute.u8(FRA_PROTOCOL, NSM_PROTOCOL),
    ...(ipProtocol === 0 ? [] : [attribute.u8(FRA_IP_PROTO, ipProtocol)]),
    ...(sourcePorts === undefined ? [] : [attribute.bytes(FRA_SPORT_RANGE, ports(sourcePorts))]),
    ...(destinationPorts === undefined ? [] : [attribute.bytes(FRA_DPORT_RANGE, ports(destinationPorts))]),
  ]
  const fixed = Uint8Array.of(addressFamily(source), 0, prefixLength, 0, 0, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0)
  return { type, fixed, attributes }
}

function ports({ first, last }: PortRange): Uint8Array {
  const bytes = new Uint8Array(PORT_RANGE_BYTES)
  const view = viewOf(bytes)
  view.setUint16(0, first, HOST_IS_LITTLE_ENDIAN)
  view.setUint16(2, last, HOST_IS_LITTLE_ENDIAN)
  return bytes
}

function readPorts(bytes: Uint8Array | undefined): PortRange | undefined {
  if (bytes === undefined) return undefined
  const view = readStruct(bytes, PORT_RANGE_BYTES, 'the port range')
  return { first: view.getUint16(0, HOST_IS_LITTLE_ENDIAN), last: view.getUint16(2, HOST_IS_LITTLE_ENDIAN) }
}
