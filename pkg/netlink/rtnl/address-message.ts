/** Messages about addresses of links: struct ifaddrmsg and IFA_* attributes. */
import { attribute } from '../attribute.ts'
import { attributesAfter } from '../attributes.ts'
import { HOST_IS_LITTLE_ENDIAN, readStruct, viewOf } from '../bytes.ts'
import type { Message } from '../message.ts'
import { AF_UNSPEC, addressFamily, change, create, dump, type RtnlRequest, rtnlType } from './request.ts'
import { NSM_PROTOCOL } from './route-message.ts'

const IFADDRMSG_BYTES = 8
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_FLAGS = 8
const IFA_PROTO = 11
/** No duplicate address detection: the address is on a point-to-point wire and must be usable immediately. */
const IFA_F_NODAD = 0x02
/** IFA_PROTO of addresses that the kernel assigns: loopback, from router advertisements, link-local. */
const KERNEL_PROTOS: readonly number[] = [1, 2, 3]

export interface AddressMessage {
  readonly linkIndex: number
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  readonly prefixLength: number
  /** Whether the kernel assigned this address by itself. */
  readonly isFromKernel: boolean
  /** Whether it carries our mark. Kernels before 5.18 keep none. */
  readonly isOurs: boolean
}

export type AddressRequest = Omit<AddressMessage, 'isFromKernel' | 'isOurs'>

export function addAddress(request: AddressRequest): RtnlRequest {
  return create(addressRequest(rtnlType.newAddress, request))
}

export function deleteAddress(request: AddressRequest): RtnlRequest {
  return change(addressRequest(rtnlType.deleteAddress, request))
}

export function dumpAddresses(): RtnlRequest {
  return dump(rtnlType.getAddress, ifaddrmsg(AF_UNSPEC, 0, 0))
}

/** @throws {NsmError} `invalid_argument` for a malformed message */
export function readAddress({ body }: Message): AddressMessage {
  const view = readStruct(body, IFADDRMSG_BYTES, 'the address')
  const attributes = attributesAfter(body, IFADDRMSG_BYTES, 'the address')
  const address = attributes.bytes(IFA_LOCAL) ?? attributes.bytes(IFA_ADDRESS) ?? new Uint8Array()
  const proto = attributes.u8(IFA_PROTO)
  return {
    linkIndex: view.getUint32(4, HOST_IS_LITTLE_ENDIAN),
    address,
    prefixLength: view.getUint8(1),
    // Kernels before 5.18 do not report the origin of an address. There we assume that link-local ones are the
    // kernel's.
    isFromKernel: proto === undefined ? isLinkLocal(address) : KERNEL_PROTOS.includes(proto),
    isOurs: proto === NSM_PROTOCOL,
  }
}

function addressRequest(type: number, { linkIndex, address, prefixLength }: AddressRequest) {
  return {
    type,
    fixed: ifaddrmsg(addressFamily(address), prefixLength, linkIndex),
    attributes: [
      attribute.bytes(IFA_LOCAL, address),
      attribute.bytes(IFA_ADDRESS, address),
      ...(type === rtnlType.newAddress
        ? [attribute.u32(IFA_FLAGS, IFA_F_NODAD), attribute.u8(IFA_PROTO, NSM_PROTOCOL)]
        : []),
    ],
  }
}

function ifaddrmsg(family: number, prefixLength: number, linkIndex: number): Uint8Array {
  const bytes = Uint8Array.of(family, prefixLength, 0, 0, 0, 0, 0, 0)
  viewOf(bytes).setUint32(4, linkIndex, HOST_IS_LITTLE_ENDIAN)
  return bytes
}

/** fe80::/10 */
function isLinkLocal(address: Uint8Array): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80
}
