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

  test('a namespace that has never had a route has nothing that a wire could take', async () => {
    const { rtnl, lab, holder, close } = await oneHolder()
    const bare = await lab.host('bare', { hasLoopback: false })
    await holder.connectClient(bare)
    expect(await linuxPlatform(rtnl).bystanders.list(bare.namespace, AbortSignal.timeout(5_000))).toEqual([])
    await close()
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
