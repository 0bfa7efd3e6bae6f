import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conformance } from '../../pkg/dataplane/testing/conformance.ts'
import { missingForKernelTests } from '../lab/holder.ts'
import { type OneHolder, oneHolder } from '../lab/one-holder.ts'

const missing = missingForKernelTests()
const signal = AbortSignal.timeout(120_000)

describe.skipIf(missing !== undefined)('through the real holder and engine', () => {
  conformance('nsm-dataplane', async () => {
    const { dataplane, workloads, close } = await oneHolder('a')
    const { a } = workloads
    return {
      dataplane,
      namespace: a.namespace,
      linkNames: () => a.linkNames(),
      addBystander: (name) => a.ip(`link add ${name} type bridge`),
      killEngine: async () => void process.kill((await dataplane.status(signal)).enginePid, 'SIGKILL'),
      close,
    }
  })

  describe('a daemon’s line to the holder', () => {
    let daemon: OneHolder<'a'>
    beforeAll(async () => {
      daemon = await oneHolder('a')
    })
    afterAll(() => daemon?.close())

    test('status says which engine runs and what it can', async () => {
      await expect.poll(async () => (await daemon.dataplane.status(signal)).enginePid).toBeGreaterThan(0)
      const status = await daemon.dataplane.status(signal)
      expect(status.version).not.toBe('')
      expect([...status.features.keys()]).toContain('tun_uso')
    })

    test('counters are there for the holder and the engine', async () => {
      expect([...(await daemon.dataplane.counters(signal)).keys()].sort()).toEqual(['engine', 'holder'])
    })

    test('a client is attested when it comes and told of when it leaves', async () => {
      const { leave, ...client } = await daemon.holder.connectClient(daemon.workloads.a)
      expect(client).toMatchObject({ listener: 'nsm', uid: 0, namespace: daemon.workloads.a.namespace })
      const gone = new Promise((resolve) => {
        daemon.dataplane.subscribe((event) => event.at === 'client-gone' && resolve(event))
      })
      leave()
      expect(await gone).toEqual({ at: 'client-gone', connectionId: client.connectionId })
    })

    test('a holder that dies is away until it is back', async () => {
      const states: string[] = []
      daemon.dataplane.subscribe(({ at }) => states.push(at))
      await daemon.holder.kill()
      await expect.poll(() => states).toContain('disconnected')
      await expect(daemon.dataplane.crossConnects(signal)).rejects.toMatchObject({ code: 'unavailable' })
      daemon.holder.launch()
      await expect.poll(() => states, { timeout: 5000 }).toContain('connected')
      expect(await daemon.dataplane.crossConnects(signal)).toEqual(new Map())
    })
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
