import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../pkg/base/index.ts'
import { connectMesh } from '../../pkg/cli/connect.ts'
import { runCli } from '../../pkg/cli/index.ts'
import { nsmctlConfig } from '../../pkg/config/index.ts'
import { Sandbox } from './sandbox.ts'

describe('the admin socket of a node', () => {
  const sandbox = new Sandbox()
  const socket = join(sandbox.directory, 'admin', 'admin.sock')

  beforeAll(async () => {
    const west = await sandbox.domain('west')
    const node = await west.node('n1', { NSM_NODE_ADMIN_SOCKET: socket })
    await node.endpoint({ service: 'files', name: 'files-1', cidr: '172.16.1.100/31' })
    await (await node.workload()).request('kernel://files/nsm-1')
  })
  afterAll(() => sandbox.close())

  async function nsmctl(...args: readonly string[]) {
    const out: string[] = []
    const print = (text: string) => void out.push(text)
    const { signal } = new AbortController()
    const config = nsmctlConfig.read({ NSM_NODE_ADMIN_SOCKET: socket })
    const mesh = connectMesh({ config, clock: systemClock, signal })
    const terminal = { print, read: async () => '', signal, isColoured: false }
    const code = await runCli(args, { mesh, terminal, clock: systemClock, printError: print })
    return { code, out: out.join('\n') }
  }

  it('is for its user alone', () => {
    expect(statSync(join(socket, '..')).mode & 0o777).toBe(0o700)
  })

  it('shows wires, services and the state of the node without an identity', async () => {
    expect(await nsmctl('get', 'wires')).toMatchObject({ out: expect.stringContaining('files') })
    expect(await nsmctl('get', 'endpoints')).toMatchObject({ code: 0, out: expect.stringContaining('files-1') })
    expect(await nsmctl('status')).toMatchObject({ out: expect.stringContaining('n1') })
  })

  it('closes a wire', async () => {
    const [wire] = JSON.parse((await nsmctl('get', 'wires', '-o', 'json')).out)
    expect(await nsmctl('close', wire.id)).toMatchObject({ code: 0 })
    await expect.poll(() => nsmctl('get', 'wires')).toMatchObject({ out: 'No wires.' })
  })

  it('makes no wire: it would be that of nobody', async () => {
    expect((await nsmctl('request', 'kernel://files/nsm-1')).code).toBe(1)
  })
})
