import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { linuxPlatform } from '../../pkg/platform/index.ts'
import { conformance } from '../../pkg/platform/testing/conformance.ts'
import { missingForKernelTests } from '../lab/holder.ts'
import { oneHolder } from '../lab/one-holder.ts'

const missing = missingForKernelTests()

describe.skipIf(missing !== undefined)('through the real holder', () => {
  conformance('the kernel', async () => {
    const { rtnl, workloads, close } = await oneHolder('a', 'b')
    const { a, b } = workloads
    const workload = (namespace: string) => (namespace === a.namespace ? a : b)
    return {
      platform: linuxPlatform(rtnl),
      namespaces: [a.namespace, b.namespace],
      addBystander: (namespace, name) => workload(namespace).ip(`link add ${name} type bridge`),
      connect: async (namespace, name, { address, gateway }) => {
        await workload(namespace).ip(`link set ${name} up`)
        await workload(namespace).ip(`address add ${address} dev ${name}`)
        await workload(namespace).ip(`route add default via ${gateway}`)
      },
      assign: (namespace, name, address) => workload(namespace).ip(`address add ${address} dev ${name}`),
      removeBystander: (namespace, name) => workload(namespace).ip(`link del ${name}`),
      setDown: (namespace, name) => workload(namespace).ip(`link set ${name} down`),
      linkNames: (namespace) => workload(namespace).linkNames(),
      eventually: async (check) => {
        for (let tries = 0; tries < 50; tries++) {
          try {
            return check()
          } catch {
            await sleep(20)
          }
        }
        check()
      },
      close,
    }
  })

  test('an IPv6 address for a pod where IPv6 is off is refused in words', async () => {
    const { rtnl, workloads, close } = await oneHolder('v4only')
    const { v4only } = workloads
    await v4only.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'])
    const platform = linuxPlatform(rtnl)
    const signal = AbortSignal.timeout(5_000)
    const end = (name: string) => ({ namespace: v4only.namespace, name, alias: 'nsm:c1', mtuBytes: 1400 })
    await platform.links.createVeth([end('nsm-1'), end('nsm-2')], signal)
    const add = (address: string) =>
      platform.addresses.add({ namespace: v4only.namespace, link: 'nsm-1', address }, signal)
    await add('172.16.1.1/32')
    await expect(add('2001:db8::1/128')).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'Cannot add the address: IPv6 is off in the pod, which has IPv4 only',
    })
    await close()
  })

  test('a namespace that has never had a route has nothing that a wire could take', async () => {
    const { rtnl, lab, holder, close } = await oneHolder()
    const bare = await lab.host('bare', { hasLoopback: false })
    await holder.connectClient(bare)
    expect(await linuxPlatform(rtnl).bystanders.list(bare.namespace, AbortSignal.timeout(5_000))).toEqual([])
    await close()
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
