/** From rtnetlink's notifications to changes of objects of ours. */
import {
  type LinkMessage,
  type Message,
  readAddress,
  readGateway,
  readLink,
  readRoute,
  readRule,
  rtnlType,
} from '../../netlink/index.ts'
import type { Change, Namespace } from '../doors.ts'
import { isOurAlias } from '../link-rules.ts'
import { toAddressSpec } from './linux-addresses.ts'
import { toLink } from './linux-links.ts'
import { toRouteSpec } from './linux-routes.ts'
import { toRuleSpec } from './linux-rules.ts'
import type { OurLinks } from './our-links.ts'

/**
 * What a notification is about. `any`: only a look at the namespace says what changed; `bystander`: an address or a
 * route that is not ours; undefined: nothing that matters.
 */
export type Told = Change | 'any' | 'bystander' | undefined

export function readChange(ours: OurLinks, namespace: Namespace, message: Message): Told {
  switch (message.type) {
    case rtnlType.newLink:
    case rtnlType.deleteLink:
      return linkChange(ours, namespace, message)
    case rtnlType.newAddress:
    case rtnlType.deleteAddress:
      return addressChange(ours, namespace, message)
    case rtnlType.newRoute:
    case rtnlType.deleteRoute:
      return routeChange(ours, namespace, message)
    case rtnlType.newRule:
    case rtnlType.deleteRule:
      return ruleChange(namespace, message)
    default:
      return 'any'
  }
}

function linkChange(ours: OurLinks, namespace: Namespace, message: Message): Told {
  const link = readLink(message)
  const isGone = message.type === rtnlType.deleteLink
  const isOurs = isOurAlias(link.alias)
  if (!isGone && isMoved(ours.nameOf(namespace, link.index), link)) {
    ours.forget(namespace, link.index)
    return 'any'
  }
  if (isGone) ours.forget(namespace, link.index)
  else if (isOurs) ours.learn(namespace, link)
  return isOurs ? { of: 'link', spec: toLink(link), isGone } : undefined
}

/** Whether others have renamed a link of ours, or taken its alias. */
function isMoved(known: string | undefined, { name, alias }: LinkMessage): boolean {
  return known !== undefined && (known !== name || !isOurAlias(alias))
}

function addressChange(ours: OurLinks, namespace: Namespace, message: Message): Told {
  const { linkIndex, isFromKernel, ...address } = readAddress(message)
  const link = ours.nameOf(namespace, linkIndex)
  if (link === undefined) return 'bystander'
  if (isFromKernel) return undefined
  const isGone = message.type === rtnlType.deleteAddress
  return { of: 'address', spec: toAddressSpec({ namespace, link }, address), isGone }
}

function routeChange(ours: OurLinks, namespace: Namespace, message: Message): Told {
  const link = ours.nameOf(namespace, readGateway(message).linkIndex)
  if (link === undefined) return 'bystander'
  const route = readRoute(message)
  if (route === undefined) return undefined
  return { of: 'route', spec: toRouteSpec({ namespace, link }, route), isGone: message.type === rtnlType.deleteRoute }
}

function ruleChange(namespace: Namespace, message: Message): Told {
  const rule = readRule(message)
  if (rule === undefined) return undefined
  return { of: 'rule', spec: toRuleSpec(namespace, rule), isGone: message.type === rtnlType.deleteRule }
}
