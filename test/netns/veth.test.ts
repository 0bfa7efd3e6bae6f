import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NsmError } from '../../pkg/base/index.ts'
import type { RtnlTransport } from '../../pkg/netlink/index.ts'
import { type LinkSpec, linuxPlatform, type Platform } from '../../pkg/platform/index.ts'
import { missingForKernelTests } from '../lab/holder.ts'
import { type OneHolder, oneHolder } from '../lab/one-holder.ts'

const missing = missingForKernelTests()
const signal = AbortSignal.timeout(120_000)
const WIRES = 500

/** Dies, as the daemon would, in place of the `n`th exchange or right after it. */
function dyingTransport(transport: RtnlTransport, n: number, when: 'before' | 'after'): RtnlTransport {
  let seen = 0
  return {
    exchange: async (payload, signal) => {
      const isLast = seen++ === n
      if (seen > n + 1 || (isLast && when === 'before')) throw new Error('died')
      const messages = await transport.exchange(payload, signal)
      if (isLast) throw new Error('died')
      return messages
    },
    checkSources: (namespace, signal) => transport.checkSources(namespace, signal),
    watch: (watch, signal) => transport.watch(watch, signal),
    onChange: (listener) => transport.onChange(listener),
    pins: (signal) => transport.pins(signal),
    pin: (id, namespace, signal) => transport.pin(id, namespace, signal),
    unpin: (id, signal) => transport.unpin(id, signal),
  }
}

/** Cannot check the sources of IPv6 packets, for this reason. */
function withoutChecks(transport: RtnlTransport, error: Error): RtnlTransport {
  const dying = dyingTransport(transport, Number.POSITIVE_INFINITY, 'after')
  return { ...dying, checkSources: () => Promise.reject(error) }
}

describe.skipIf(missing !== undefined)('veth pairs of the kernel', () => {
  let machine: OneHolder<'a' | 'b'>
  let namespaces: readonly [string, string]
  let transport: RtnlTransport
  let platform: Platform

  const ends = (index: number): readonly [LinkSpec, LinkSpec] => [
    { namespace: namespaces[0], name: `nsm-${index}`, alias: `nsm:wire-${index}`, mtuBytes: 1420 },
    { namespace: namespaces[1], name: `files-${index}`, alias: `nsm:wire-${index}`, mtuBytes: 1420 },
  ]

  const checkedEnds = (): readonly [LinkSpec, LinkSpec] => {
    const [near, far] = ends(1)
    return [
      { ...near, checksIpv6Sources: true },
      { ...far, checksIpv6Sources: true },
    ]
  }

  beforeAll(async () => {
    machine = await oneHolder('a', 'b')
    const { a, b } = machine.workloads
    namespaces = [a.namespace, b.namespace]
    transport = machine.rtnl
    platform = linuxPlatform(transport)
  })
  afterAll(() => machine?.close())

  test.each([
    [0, 'before'],
    [0, 'after'],
    [1, 'before'],
    [1, 'after'],
  ] as const)(
    'a death %i exchanges into createVeth, %s it, leaves nothing without a mark, and is made good',
    async (n, when) => {
      const dying = linuxPlatform(dyingTransport(transport, n, when))
      await expect(dying.links.createVeth(ends(1), signal)).rejects.toThrow('died')
      const marked = await platform.links.list(namespaces[0], signal)
      expect(marked).toHaveLength((await machine.workloads.a.linkNames()).length)
      await platform.links.createVeth(ends(1), signal)
      for (const { namespace, ...spec } of ends(1)) {
        expect(await platform.links.list(namespace, signal)).toEqual([expect.objectContaining({ ...spec, isUp: true })])
      }
      await platform.links.remove(namespaces[0], 'nsm-1', signal)
      expect(await machine.workloads.b.linkNames()).not.toContain('files-1')
    },
  )

  test('a link says that it checks sources of IPv6 only when its namespace does', async () => {
    await platform.links.createVeth(ends(1), signal)
    const dying = linuxPlatform(withoutChecks(transport, new Error('died')))
    await expect(dying.links.createVeth(checkedEnds(), signal)).rejects.toThrow('died')
    for (const { namespace } of ends(1))
      expect(await platform.links.list(namespace, signal)).toMatchObject([{ checksIpv6Sources: false }])
    await platform.links.remove(namespaces[0], 'nsm-1', signal)
  })

  test('a kernel without nf_tables has wires whose sources of IPv6 are not checked', async () => {
    const unable = new NsmError('unimplemented', 'Cannot check: no nf_tables')
    await linuxPlatform(withoutChecks(transport, unable)).links.createVeth(checkedEnds(), signal)
    expect(await platform.links.list(namespaces[0], signal)).toMatchObject([{ name: 'nsm-1', isUp: true }])
    await platform.links.remove(namespaces[0], 'nsm-1', signal)
  })

  test(`${WIRES} standing wires are observed in well under a second`, async () => {
    for (let index = 0; index < WIRES; index++) {
      await platform.links.createVeth(ends(index), signal)
      const [near] = ends(index)
      const address = `10.0.${index >> 8}.${index & 255}/32`
      await platform.addresses.add({ namespace: near.namespace, link: near.name, address }, signal)
    }
    const startMs = performance.now()
    expect(await platform.links.list(namespaces[0], signal)).toHaveLength(WIRES)
    expect(await platform.links.list(namespaces[1], signal)).toHaveLength(WIRES)
    expect(await platform.addresses.list(namespaces[0], signal)).toHaveLength(WIRES)
    expect(await platform.routes.list(namespaces[0], signal)).toEqual([])
    expect(performance.now() - startMs).toBeLessThan(1000)
  }, 60_000)
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
