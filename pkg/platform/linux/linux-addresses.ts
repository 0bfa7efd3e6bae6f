import { formatPrefix, ipFamily, parsePrefix } from '../../net/index.ts'
import {
  type AddressRequest,
  addAddress,
  answerError,
  deleteAddress,
  dumpAddresses,
  errno,
  readAddress,
} from '../../netlink/index.ts'
import type { Addresses, AddressSpec } from '../doors.ts'
import { findLinkOrGone, ourLinkNames, requireLink } from './link-lookup.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

export function linuxAddresses(rtnl: Rtnl): Addresses {
  return {
    async list(namespace, signal) {
      const context = { namespace, what: 'Cannot list addresses', signal }
      const names = await ourLinkNames(rtnl, context)
      if (names.size === 0) return []
      const messages = await rtnl.dump(context, dumpAddresses())
      return messages.map(readAddress).flatMap(({ linkIndex, address, prefixLength, isFromKernel }): AddressSpec[] => {
        const link = names.get(linkIndex)
        if (link === undefined || isFromKernel) return []
        const prefix = { family: ipFamily(address), address, length: prefixLength }
        return [{ namespace, link, address: formatPrefix(prefix) }]
      })
    },

    async add(spec, signal) {
      const context = contextOf(spec, 'Cannot add the address', signal)
      const { index } = await requireLink(rtnl, context, spec.link)
      const [outcome] = await rtnl.ask(context, [addAddress(requestOf(spec, index))])
      if (outcome === undefined || outcome.answer.errno === 0 || outcome.answer.errno === errno.EEXIST) return
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    },

    async remove(spec, signal) {
      const context = contextOf(spec, 'Cannot remove the address', signal)
      const link = await findLinkOrGone(rtnl, context, spec.link)
      if (link !== undefined) await rtnl.remove(context, deleteAddress(requestOf(spec, link.index)))
    },
  }
}

function requestOf({ address: text }: AddressSpec, linkIndex: number): AddressRequest {
  const { address, length } = parsePrefix(text)
  return { linkIndex, address, prefixLength: length }
}

function contextOf({ namespace, link, address }: AddressSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { link, address }, signal }
}
