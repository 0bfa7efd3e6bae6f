/**
 * Links of the kernel. A veth pair is created in two exchanges, one per namespace. The exchange that creates the pair
 * also sets the alias of the near end, so that a crash cannot leave a pair behind that we do not recognize as ours.
 *
 *     near: [RTM_NEWLINK both ends, RTM_SETLINK near: alias, up]    far: [RTM_SETLINK far: alias, up]
 */
import { randomInt } from 'node:crypto'
import { NsmError } from '../../base/index.ts'
import { formatMac } from '../../net/index.ts'
import { addVeth, answerError, deleteLink, errno, type LinkMessage, setLink } from '../../netlink/index.ts'
import { type Link, type LinkSpec, type Links, NODE } from '../doors.ts'
import { checkLinkSpec, checksAsWanted, isOurAlias, isSameOwner } from '../link-rules.ts'
import { findLink, findLinkOrGone, requireLink } from './link-lookup.ts'
import type { OurLinks } from './our-links.ts'
import { fieldsOf, type Rtnl, type RtnlContext } from './rtnl.ts'

/**
 * We choose the indexes of links, far above those that the kernel assigns. Then the second request of the exchange can
 * only affect the link that the first one created, and never another link that already had the name.
 */
const FIRST_INDEX = 2 ** 16
const LAST_INDEX = 2 ** 30
const MAX_ATTEMPTS = 4

type Ends = readonly [near: LinkSpec, far: LinkSpec]

export function linuxLinks(rtnl: Rtnl, ours: OurLinks): Links {
  const parts = { rtnl, ours }
  return {
    async list(namespace, signal) {
      const links = await ours.dump({ namespace, what: 'Cannot list links', signal })
      return links.map(toLink)
    },

    async createVeth(ends, signal) {
      for (const end of ends) checkLinkSpec(end)
      // The kernel needs a descriptor of the namespace of the far end, and the holder has none for that of the node.
      const [near, far]: Ends = ends[1].namespace === NODE ? [ends[1], ends[0]] : ends
      await Promise.all([prepare(parts, near, signal), prepare(parts, far, signal)])
      if (!(await addPair(parts, [near, far], signal))) await adoptPair(parts, [near, far], signal)
    },

    async configure(spec, signal) {
      checkLinkSpec(spec)
      await configure(parts, spec, signal)
    },

    async remove(namespace, name, signal) {
      const context = { namespace, what: 'Cannot remove the link', fields: { link: name }, signal }
      const link = await findLinkOrGone(rtnl, context, name)
      // Meanwhile, a link that is not ours may have got the name.
      if (link !== undefined && isOurAlias(link.alias)) await rtnl.remove(context, deleteLink({ index: link.index }))
    },
  }
}

interface Parts {
  readonly rtnl: Rtnl
  readonly ours: OurLinks
}

/** Returns false when a name is in use, possibly by this very pair. */
async function addPair({ rtnl, ours }: Parts, [near, far]: Ends, signal: AbortSignal): Promise<boolean> {
  const context = contextOf(near, 'Cannot create the veth pair', signal)
  const farContext = contextOf(far, 'Cannot configure the link', signal)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const [index, farIndex] = [randomInt(FIRST_INDEX, LAST_INDEX), randomInt(FIRST_INDEX, LAST_INDEX)]
    const namespace = far.namespace === near.namespace ? undefined : far.namespace
    const create = addVeth({ ...near, index }, { ...far, namespace, index: farIndex })
    // One after the other in the holder, without a round trip in between: where there is no pair, the second fails.
    const [[created, marked], [configured]] = await Promise.all([
      rtnl.ask(context, [create, setLink({ index }, near)]),
      rtnl.ask(farContext, [setLink({ index: farIndex }, far)]),
    ])
    const error = created?.answer.errno
    if (error === errno.EEXIST) return false
    if (error === errno.EBUSY) continue // an index is in use
    for (const outcome of [created, marked, configured]) {
      if (outcome === undefined || outcome.answer.errno === 0) continue
      if (error === 0) await rtnl.remove(context, deleteLink({ index }))
      throw answerError(context.what, outcome.answer, { fields: fieldsOf(context) })
    }
    ours.made(near.namespace, { index, name: near.name })
    ours.made(far.namespace, { index: farIndex, name: far.name })
    return true
  }
  throw new NsmError('unavailable', 'Cannot create the veth pair: all random indexes were in use', {
    fields: fieldsOf(context),
  })
}

/**
 * Completes a pair that exists, possibly from an interrupted run.
 * @throws {NsmError} `already_exists` when the links are not this pair
 */
async function adoptPair(parts: Parts, [near, far]: Ends, signal: AbortSignal): Promise<void> {
  const { rtnl } = parts
  const nearLink = await findLink(rtnl, contextOf(near, 'Cannot look up the link', signal), near.name)
  const farLink = await findLink(rtnl, contextOf(far, 'Cannot look up the link', signal), far.name)
  if (nearLink !== undefined && !isEndOf(nearLink, near)) throw taken(near)
  if (farLink !== undefined && !(farLink.kind === 'veth' && isSameOwner(farLink.alias, far.alias))) throw taken(far)
  if (nearLink === undefined || farLink === undefined || !arePeers(nearLink, farLink)) {
    throw taken(nearLink === undefined ? far : near)
  }
  await configure(parts, near, signal)
  await configure(parts, far, signal)
}

/** Before the link says that its sources are checked, they are. */
async function prepare({ rtnl }: Parts, spec: LinkSpec, signal: AbortSignal): Promise<void> {
  if (spec.checksIpv6Sources === true) await rtnl.checkSources(contextOf(spec, 'Cannot check sources', signal))
}

/** Sets alias, MTU and state; writes nothing when they are as desired. */
async function configure(parts: Parts, spec: LinkSpec, signal: AbortSignal): Promise<void> {
  const { rtnl, ours } = parts
  const context = contextOf(spec, 'Cannot configure the link', signal)
  const link = await requireLink(rtnl, context, spec.name)
  if (!isSameOwner(link.alias, spec.alias)) throw taken(spec)
  ours.made(spec.namespace, link)
  if (isConfigured(link, spec)) return
  await prepare(parts, spec, signal)
  await rtnl.change(context, [setLink({ index: link.index }, spec)])
}

function isConfigured(link: LinkMessage, spec: LinkSpec): boolean {
  return link.isUp && link.alias === spec.alias && link.mtuBytes === spec.mtuBytes && checksAsWanted(link, spec)
}

function isEndOf(link: LinkMessage, spec: LinkSpec): boolean {
  return link.kind === 'veth' && link.alias === spec.alias
}

/** Each end of a veth pair reports the index of the other. */
function arePeers(a: LinkMessage, b: LinkMessage): boolean {
  return a.lowerIndex === b.index && b.lowerIndex === a.index
}

export function toLink({ lowerIndex: _, mac, ...link }: LinkMessage): Link {
  return { ...link, mac: formatMac(mac) }
}

function contextOf({ namespace, name }: LinkSpec, what: string, signal: AbortSignal): RtnlContext {
  return { namespace, what, fields: { link: name }, signal }
}

function taken({ namespace, name }: LinkSpec): NsmError {
  return new NsmError('already_exists', 'Cannot create the link: its name is in use', {
    fields: { namespace, link: name },
    next: 'choose another interface name in the request, or remove the link with this name',
  })
}
