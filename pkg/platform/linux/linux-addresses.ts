import { NsmError } from '../../base/index.ts'
import { formatPrefix, ipFamily, parsePrefix } from '../../net/index.ts'
import {
  type AddressMessage,
  type AddressRequest,
  addAddress,
  answerError,
  deleteAddress,
  dumpAddresses,
  errno,
  readAddress,
} from '../../netlink/index.ts'
import type { Addresses, AddressSpec, FoundAddress } from '../doors.ts'
import type { OurLinks } from './our-links.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

export function linuxAddresses(rtnl: Rtnl, ours: OurLinks): Addresses {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list addresses', signal }
      const names = await ours.names(context)
      if (names.size === 0) return []
      const messages = await rtnl.dump(context, dumpAddresses())
      return messages.map(readAddress).flatMap(({ linkIndex, isFromKernel, ...address }): FoundAddress[] => {
        const link = names.get(linkIndex)
        return link === undefined || isFromKernel ? [] : [toAddressSpec({ namespace, link }, address)]
      })
    },

    async add(spec, signal) {
      const context = contextOf(spec, 'Cannot add the address', signal)
      const index = await ours.indexOf(context, spec.link)
      const [outcome] = await rtnl.ask(context, [addAddress(requestOf(spec, index))])
      if (outcome === undefined || outcome.answer.errno === 0 || outcome.answer.errno === errno.EEXIST) return
      if (isIpv6Off(spec, outcome.answer.errno)) throw ipv6Off(spec)
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    },

    async remove(spec, signal) {
      const context = contextOf(spec, 'Cannot remove the address', signal)
      const index = await ours.indexIfAny(context, spec.link)
      if (index !== undefined) await rtnl.remove(context, deleteAddress(requestOf(spec, index)))
    },
  }
}

export function toAddressSpec(
  on: Pick<AddressSpec, 'namespace' | 'link'>,
  { address, prefixLength: length, isOurs }: Pick<AddressMessage, 'address' | 'prefixLength' | 'isOurs'>,
): FoundAddress {
  const found = { ...on, address: formatPrefix({ family: ipFamily(address), address, length }) }
  return isOurs ? found : { ...found, isForeign: true }
}

/** The kernel says only that it is not allowed. */
function isIpv6Off({ address }: AddressSpec, answered: number): boolean {
  return answered === errno.EACCES && ipFamily(parsePrefix(address).address) === 6
}

function ipv6Off({ link, address }: AddressSpec): NsmError {
  return new NsmError('failed_precondition', 'Cannot add the address: IPv6 is off in the pod, which has IPv4 only', {
    fields: { link, address },
    next: 'set net.ipv6.conf.all.disable_ipv6=0 in the pod, or request a service with IPv4 addresses alone',
  })
}

function requestOf({ address: text }: AddressSpec, linkIndex: number): AddressRequest {
  const { address, length } = parsePrefix(text)
  return { linkIndex, address, prefixLength: length }
}

function contextOf({ namespace, link, address }: AddressSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { link, address }, signal }
}
