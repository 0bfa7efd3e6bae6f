import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { conformance } from '../../pkg/dataplane/testing/conformance.ts'
import { missingForKernelTests, NetnsLab } from './lab.ts'

const missing = missingForKernelTests()
const signal = AbortSignal.timeout(120_000)

describe.skipIf(missing !== undefined)('through the real holder and engine', () => {
  conformance('nsm-dataplane', async () => {
    const lab = await NetnsLab.open('wires')
    const namespace = lab.addNamespace('a')
    lab.ip('node', 'link', 'set', 'lo', 'up')
    const { dataplane } = await lab.connectDaemon()
    await lab.connectClient('a')
    return {
      dataplane,
      namespace,
      linkNames: async () => lab.linkNames('a'),
      addBystander: async (name) => void lab.ip('a', 'link', 'add', name, 'type', 'bridge'),
      killEngine: async () => void process.kill((await dataplane.status(signal)).enginePid, 'SIGKILL'),
      close: () => lab.close(),
    }
  })

  describe('a daemon’s line to the holder', () => {
    let lab: NetnsLab
    let namespace: string
    let daemon: Awaited<ReturnType<NetnsLab['connectDaemon']>>
    beforeAll(async () => {
      lab = await NetnsLab.open('line')
      namespace = lab.addNamespace('a')
      daemon = await lab.connectDaemon()
    })
    afterAll(() => lab?.close())

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
      const { leave, ...client } = await lab.connectClient('a')
      expect(client).toMatchObject({ listener: 'nsm', uid: 0, namespace })
      const gone = new Promise((resolve) => {
        daemon.dataplane.subscribe((event) => event.at === 'client-gone' && resolve(event))
      })
      leave()
      expect(await gone).toEqual({ at: 'client-gone', connectionId: client.connectionId })
    })

    test('a holder that dies is away until it is back', async () => {
      const states: string[] = []
      daemon.dataplane.subscribe(({ at }) => states.push(at))
      await lab.killHolder()
      await expect.poll(() => states).toContain('disconnected')
      await expect(daemon.dataplane.wires(signal)).rejects.toMatchObject({ code: 'unavailable' })
      lab.startHolder()
      await expect.poll(() => states, { timeout: 5000 }).toContain('connected')
      expect(await daemon.dataplane.wires(signal)).toEqual(new Map())
    })
  })
})

if (missing !== undefined) test.skip(`the kernel tests are skipped: ${missing}`, () => {})
