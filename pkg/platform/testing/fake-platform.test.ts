import { expect, test } from 'vitest'
import { errorCode } from '../../base/index.ts'
import type { LinkSpec } from '../doors.ts'
import { conformance } from './conformance.ts'
import { Crash, crashing, FakeKernel, failing, fakePlatform, hanging, nthWrite } from './index.ts'

const signal = AbortSignal.timeout(60_000)
const A = 'inode://4/101'
const B = 'inode://4/102'
const ends: readonly [LinkSpec, LinkSpec] = [
  { namespace: A, name: 'nsm-1', alias: 'nsm:one', mtuBytes: 1420 },
  { namespace: B, name: 'files', alias: 'nsm:one', mtuBytes: 1420 },
]

function makeKernel(): FakeKernel {
  const kernel = new FakeKernel()
  for (const namespace of [A, B]) kernel.addNamespace(namespace)
  return kernel
}

conformance('the fake', async () => {
  const kernel = makeKernel()
  return {
    platform: fakePlatform(kernel),
    namespaces: [A, B],
    addBystander: async (namespace, name) => void kernel.addDevice(namespace, name, 'dummy'),
    connect: async (namespace, link, { address, gateway }) => {
      kernel.namespace(namespace).addresses.push({ namespace, link, address })
      kernel.namespace(namespace).routes.push({ namespace, link, prefix: '0.0.0.0/0', via: gateway, table: 254 })
    },
    assign: async (namespace, link, address) =>
      void kernel.namespace(namespace).addresses.push({ namespace, link, address, isForeign: true }),
    removeBystander: async (namespace, name) => kernel.removeDevice(namespace, name),
    setDown: async (namespace, name) => kernel.setDown(namespace, name),
    linkNames: async (namespace) => [...kernel.namespace(namespace).links.keys()],
    eventually: async (check) => {
      await Promise.resolve()
      check()
    },
    close: async () => {},
  }
})

test('the fake writes a transcript in the syntax of ip', async () => {
  const kernel = makeKernel()
  const { links, addresses, routes, rules, neighbours } = fakePlatform(kernel)
  await links.createVeth(ends, signal)
  await addresses.add({ namespace: A, link: 'nsm-1', address: '172.16.1.101/32' }, signal)
  await routes.add({ namespace: A, link: 'nsm-1', prefix: '::/0', via: '2004::6', table: 1 }, signal)
  await rules.add({ namespace: A, from: '10.0.0.1', proto: 'tcp', dstPort: '80', srcPort: '', table: 1 }, signal)
  await neighbours.add({ namespace: B, link: 'files', ip: '172.16.1.101', mac: '02:00:5e:10:00:01' }, signal)
  await links.remove(A, 'nsm-1', signal)
  expect(kernel.transcript).toEqual([
    `ip -n ${A} link add nsm-1 alias nsm:one mtu 1420 up type veth peer files netns ${B}`,
    `ip -n ${B} link set files alias nsm:one mtu 1420 up`,
    `ip -n ${A} addr add 172.16.1.101/32 dev nsm-1 nodad`,
    `ip -n ${A} -6 route add ::/0 via 2004::6 dev nsm-1 onlink table 1 proto 147`,
    `ip -n ${A} rule add from 10.0.0.1/32 ipproto tcp dport 80 priority 32000 table 1 protocol 147`,
    `ip -n ${B} neigh replace 172.16.1.101 lladdr 02:00:5e:10:00:01 dev files nud permanent`,
    `ip -n ${A} link del nsm-1`,
  ])
})

test('a crash between the two steps of createVeth leaves a pair with an alias, which the next run completes', async () => {
  const kernel = makeKernel()
  kernel.intercept = crashing(nthWrite(1), 'before')
  await expect(fakePlatform(kernel).links.createVeth(ends, signal)).rejects.toBeInstanceOf(Crash)
  await expect(fakePlatform(kernel).links.list(A, signal)).rejects.toBeInstanceOf(Crash)

  kernel.intercept = async (_operation, effect) => effect()
  const { links } = fakePlatform(kernel)
  expect(await links.list(A, signal)).toHaveLength(1)
  expect(await links.list(B, signal)).toHaveLength(0)
  await links.createVeth(ends, signal)
  expect(await links.list(B, signal)).toEqual([expect.objectContaining({ alias: 'nsm:one', isUp: true })])
})

test('a write has an effect before a crash after it, and none if the crash comes before', async () => {
  for (const [when, count] of [
    ['before', 0],
    ['after', 1],
  ] as const) {
    const kernel = makeKernel()
    kernel.intercept = crashing(nthWrite(0), when)
    await expect(fakePlatform(kernel).links.createVeth(ends, signal)).rejects.toBeInstanceOf(Crash)
    expect(kernel.namespace(A).links.size).toBe(count)
  }
})

test('a hanging operation ends with its signal and has no effect', async () => {
  const kernel = makeKernel()
  kernel.intercept = hanging(({ isWrite }) => isWrite)
  const attempt = fakePlatform(kernel).links.createVeth(ends, AbortSignal.timeout(5))
  expect(await attempt.catch(errorCode)).toBe('deadline_exceeded')
  expect(kernel.transcript).toEqual([])
})

test('a failing operation throws the injected error, and others work', async () => {
  const kernel = makeKernel()
  kernel.intercept = failing(
    ({ command }) => command.includes('link set'),
    () => new Error('no memory'),
  )
  await expect(fakePlatform(kernel).links.createVeth(ends, signal)).rejects.toThrow('no memory')
  expect(kernel.transcript).toHaveLength(1)
})

test('a namespace without a process and a pin disappears, with its links and their peers', async () => {
  const kernel = makeKernel()
  const { links, namespaces } = fakePlatform(kernel)
  await links.createVeth(ends, signal)
  await namespaces.pin({ id: 'one', namespace: A }, signal)
  kernel.releaseNamespace(A)
  expect(await links.list(A, signal)).toHaveLength(1)
  await namespaces.unpin('one', signal)
  expect(kernel.hasNamespace(A)).toBe(false)
  expect(kernel.namespace(B).links.size).toBe(0)
})
