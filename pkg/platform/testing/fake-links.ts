import { NsmError } from '../../base/index.ts'
import { type Link, type LinkSpec, type Links, NODE } from '../doors.ts'
import { checkLinkSpec, checksAsWanted, isOurAlias, isSameOwner } from '../link-rules.ts'
import type { FakeKernel } from './fake-kernel.ts'
import { type FakeLink, toLink } from './fake-namespace.ts'

/** Creates a pair in the same two steps as the real platform, so that a test can crash between them. */
export function fakeLinks(kernel: FakeKernel): Links {
  const configure = async (spec: LinkSpec, signal: AbortSignal) => {
    const link = kernel.namespace(spec.namespace).link(spec.name)
    if (!isSameOwner(link.alias, spec.alias)) throw taken(spec)
    if (isConfigured(link, spec)) return
    const command = `link set ${spec.name} alias ${spec.alias} mtu ${spec.mtuBytes} up`
    await kernel.write(spec.namespace, command, { effect: () => apply(link, spec), signal })
  }
  return {
    list: (namespace, signal) =>
      kernel.read('list links', {
        effect: (): readonly Link[] =>
          [...kernel.namespace(namespace).links.values()].filter(({ alias }) => isOurAlias(alias)).map(toLink),
        signal,
      }),

    async createVeth([near, far], signal) {
      for (const end of [near, far]) checkLinkSpec(end)
      if (!hasPair(kernel, [near, far])) {
        const netns = far.namespace === NODE ? '' : ` netns ${far.namespace}`
        const command = `link add ${near.name} alias ${near.alias} mtu ${near.mtuBytes} up type veth peer ${far.name}${netns}`
        await kernel.write(near.namespace, command, { effect: () => addPair(kernel, [near, far]), signal })
      } else await configure(near, signal)
      await configure(far, signal)
    },

    async configure(spec, signal) {
      checkLinkSpec(spec)
      await configure(spec, signal)
    },

    async remove(namespace, name, signal) {
      if (!kernel.hasNamespace(namespace) || !kernel.namespace(namespace).isOurs(name)) return
      const effect = () => kernel.namespace(namespace).removeLink(name)
      await kernel.write(namespace, `link del ${name}`, { effect, signal })
    },
  }
}

/** Whether exactly this pair exists. @throws {NsmError} `already_exists` when another link has one of the names */
function hasPair(kernel: FakeKernel, [near, far]: readonly [LinkSpec, LinkSpec]): boolean {
  const nearLink = kernel.namespace(near.namespace).links.get(near.name)
  const farLink = kernel.namespace(far.namespace).links.get(far.name)
  if (nearLink === undefined && farLink === undefined) return false
  if (nearLink === undefined || nearLink.alias !== near.alias || nearLink.peer?.link !== farLink) {
    throw taken(nearLink === undefined ? far : near)
  }
  return true
}

function addPair(kernel: FakeKernel, [near, far]: readonly [LinkSpec, LinkSpec]): void {
  const [nearSpace, farSpace] = [kernel.namespace(near.namespace), kernel.namespace(far.namespace)]
  const nearLink = nearSpace.addLink(near.name, 'veth')
  const farLink = farSpace.addLink(far.name, 'veth')
  nearLink.peer = { namespace: farSpace, link: farLink }
  farLink.peer = { namespace: nearSpace, link: nearLink }
  farLink.mtuBytes = far.mtuBytes
  apply(nearLink, near)
}

function apply(link: FakeLink, spec: LinkSpec): void {
  link.alias = spec.alias
  link.mtuBytes = spec.mtuBytes
  link.isUp = true
  link.checksSources ||= spec.checksSources === true
  link.checksIpv6Sources ||= spec.checksIpv6Sources === true
}

function isConfigured(link: FakeLink, spec: LinkSpec): boolean {
  return link.isUp && link.alias === spec.alias && link.mtuBytes === spec.mtuBytes && checksAsWanted(link, spec)
}

function taken(spec: LinkSpec): NsmError {
  return new NsmError('already_exists', 'Cannot create the link: its name is in use', {
    fields: { namespace: spec.namespace, link: spec.name },
    next: 'choose another interface name in the request, or remove the link with this name',
  })
}
