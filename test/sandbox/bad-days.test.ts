import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from './sandbox.ts'

describe('a bad day of nsmd', () => {
  const sandbox = new Sandbox()
  let west: SandboxDomain
  let node: SandboxNode

  beforeAll(async () => {
    west = await sandbox.domain('west')
    node = await west.node('n1')
    await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  })
  afterAll(() => sandbox.close())

  it('second daemon on the same state: is told that the first has it, which goes on', async () => {
    const second = node.second()
    await expect(second.start()).rejects.toMatchObject({ code: 'failed_precondition', message: /another process/ })
    const client = await node.workload()
    await client.closeWire(await client.request('kernel://files/nsm-1'))
  })

  it('second daemon on the same sockets: is told that they are taken', async () => {
    const second = node.second({ NSM_NAME: 'n2', NSM_STATE_DIR: `${sandbox.directory}/elsewhere` })
    second.useToken((await west.invite('n2')).token)
    await expect(second.start()).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'Cannot listen on the address',
    })
  })

  it('second daemon of the same name, with a token of its own: is told who has the name', async () => {
    const second = node.second({ NSM_STATE_DIR: `${sandbox.directory}/beside` })
    second.useToken((await west.invite('n1')).token)
    await expect(second.start()).rejects.toMatchObject({
      code: 'already_exists',
      message: expect.stringMatching(/has joined, and is connected/),
      next: expect.stringMatching(/nsmctl node revoke n1/),
    })
  })

  it('token of another node, used token, no token: each is told what to do', async () => {
    const stranger = west.unjoined('n8')
    await expect(stranger.start({ NSM_JOIN_TOKEN_FILE: '' })).rejects.toMatchObject({
      code: 'failed_precondition',
      next: expect.stringMatching(/nsmctl node invite n8/),
    })
    const { token } = await west.invite('n9')
    stranger.useToken(token)
    await expect(stranger.start()).rejects.toMatchObject({ message: /the token is for something else/ })
    const [used, again] = [west.unjoined('n9'), west.unjoined('n9')]
    used.useToken(token)
    again.useToken(token)
    await used.start()
    await used.close()
    await expect(again.start()).rejects.toMatchObject({ message: expect.stringMatching(/token/) })
  })

  it('start while the registry is away: serves what stands', async () => {
    const client = await node.workload()
    const wire = await client.request('kernel://files/nsm-1')
    await node.stop()
    await west.stop()
    try {
      await node.start()
      const again = await client.refreshPatiently(wire)
      expect(again.context).toEqual(wire.context)
      await client.closeWire(again)
    } finally {
      await west.start()
    }
    expect(node.links(client.namespace)).toEqual([])
  })

  it('dataplane that goes away and comes back: wires are made good, and a request meanwhile is worth another try', async () => {
    const client = await node.workload()
    node.engine.disconnect()
    await expect(client.request('kernel://files/nsm-1')).resolves.toMatchObject({ state: 'UP' }) // a veth pair needs no engine
    const root = await node.operator()
    const { conditions } = await root.node().status()
    expect(conditions.find(({ name }) => name === 'dataplane')?.problem).toMatch(/control socket is away/)
    node.engine.reconnect()
    const isWell = async () => {
      const healthy = await root.node().status()
      return healthy.conditions.every(({ problem }) => problem === '')
    }
    await until('nothing to be wrong', isWell, 10_000)
  })
})
