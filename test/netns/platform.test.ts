import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { linuxPlatform } from '../../pkg/platform/index.ts'
import { conformance } from '../../pkg/platform/testing/conformance.ts'
import { missingForKernelTests, NetnsLab } from './lab.ts'

const missing = missingForKernelTests()

describe.skipIf(missing !== undefined)('through the real holder', () => {
  conformance('the kernel', async () => {
    const lab = await NetnsLab.open('doors')
    const names = new Map([
      [lab.addNamespace('a'), 'a'],
      [lab.addNamespace('b'), 'b'],
    ])
    const { rtnl } = await lab.connectDaemon()
    for (const name of names.values()) await lab.connectClient(name)
    const [a = '', b = ''] = names.keys()
    const ip = (namespace: string, ...args: readonly string[]) => lab.ip(names.get(namespace) ?? '', ...args)
    return {
      platform: linuxPlatform(rtnl),
      namespaces: [a, b],
      addBystander: async (namespace, name) => void ip(namespace, 'link', 'add', name, 'type', 'bridge'),
      removeBystander: async (namespace, name) => void ip(namespace, 'link', 'del', name),
      setDown: async (namespace, name) => void ip(namespace, 'link', 'set', name, 'down'),
      linkNames: async (namespace) => lab.linkNames(names.get(namespace) ?? ''),
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
      close: () => lab.close(),
    }
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
