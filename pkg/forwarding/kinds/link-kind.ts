import { errorCode } from '../../base/index.ts'
import type { PortSpec } from '../../mechanism/index.ts'
import { ALIAS_PREFIX, checksAsWanted, type Link, type LinkSpec, type Links } from '../../platform/index.ts'
import type { Kind } from '../../reconcile/index.ts'
import type { DevicePorts } from './device-ports.ts'

/** A link with its mark, size and state; `origin` says how it comes to be. */
export interface WireLink extends LinkSpec {
  readonly origin:
    | { readonly kind: 'veth'; readonly ends: readonly [LinkSpec, LinkSpec] }
    | { readonly kind: 'device'; readonly port: PortSpec }
}

interface FoundLink extends LinkSpec {
  readonly isUp: boolean
  readonly isVeth: boolean
}

export function linkAlias(owner: string): string {
  return `${ALIAS_PREFIX}${owner}`
}

/**
 * The interfaces that workloads see. The owner is part of the key: a link of the same name that carries another mark
 * is another link, and is never taken over.
 */
export function linkKind(links: Links, devices: DevicePorts): Kind<WireLink, FoundLink> {
  return {
    name: 'link',
    key: (link) => linkKey(link, link.origin.kind === 'veth'),
    place: ({ namespace }) => namespace,
    async observe(place, signal) {
      return new Map((await links.list(place, signal)).map((link) => foundLink(place, link)))
    },
    matches: (spec, found) => found.isUp && found.mtuBytes === spec.mtuBytes && checksAsWanted(found, spec),
    async apply(spec, actual, signal) {
      if (spec.origin.kind === 'device')
        await applyDevice({ links, devices, spec, port: spec.origin.port }, actual, signal)
      else if (actual === undefined) await createPair(links, spec.origin.ends, signal)
      else await links.configure(toLinkSpec(spec), signal)
      return made(spec)
    },
    together({ origin }) {
      if (origin.kind !== 'veth') return []
      return origin.ends.map((end) => ({ spec: { ...end, origin }, actual: made({ ...end, origin }) }))
    },
    async remove(_key, { namespace, name, isVeth }, signal) {
      if (isVeth) await links.remove(namespace, name, signal) // a device goes with its port
    },
  }
}

function made(spec: WireLink): FoundLink {
  return { ...toLinkSpec(spec), isUp: true, isVeth: spec.origin.kind === 'veth' }
}

/** Where an end of ours is in the way, with a peer that it should not have, the pair is made anew. */
async function createPair(links: Links, ends: readonly [LinkSpec, LinkSpec], signal: AbortSignal): Promise<void> {
  try {
    await links.createVeth(ends, signal)
  } catch (error) {
    if (errorCode(error) !== 'already_exists') throw error
    const ours = await findOurs(links, ends, signal)
    if (ours.length === 0) throw error
    for (const { namespace, name } of ours) await links.remove(namespace, name, signal)
    await links.createVeth(ends, signal)
  }
}

async function findOurs(links: Links, ends: readonly LinkSpec[], signal: AbortSignal): Promise<readonly LinkSpec[]> {
  const found = ends.map(async (end) => {
    const listed = await links.list(end.namespace, signal)
    return listed.some(({ name, alias }) => name === end.name && alias === end.alias) ? [end] : []
  })
  return (await Promise.all(found)).flat()
}

interface DeviceLink {
  readonly links: Links
  readonly devices: DevicePorts
  readonly spec: WireLink
  readonly port: PortSpec
}

/**
 * Without a mark the device is either fresh, or what had the name is gone and something else may have it now: then
 * the port gets a new device, which fails on a name that is taken instead of marking a bystander.
 */
async function applyDevice(
  { links, devices, spec, port }: DeviceLink,
  actual: FoundLink | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (actual === undefined && !devices.isUnmarked(port.id)) await devices.replace(port, signal)
  await links.configure(toLinkSpec(spec), signal)
  devices.marked(port.id)
}

function linkKey({ name, alias }: LinkSpec, isVeth: boolean): string {
  return `${name} ${alias} ${isVeth ? 'veth' : 'device'}`
}

/** A link that is there, by its key. */
export function foundLink(namespace: string, link: Link): readonly [string, FoundLink] {
  const isVeth = link.kind === 'veth'
  const spec = toLinkSpec({ namespace, ...link })
  return [linkKey(spec, isVeth), { ...spec, isUp: link.isUp, isVeth }]
}

function toLinkSpec(link: LinkSpec): LinkSpec {
  const { namespace, name, alias, mtuBytes, checksSources = false, checksIpv6Sources = false } = link
  return { namespace, name, alias, mtuBytes, checksSources, checksIpv6Sources }
}
