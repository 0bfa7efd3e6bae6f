/** The disk of a registry is full: what stands goes on, nothing new is registered, and the nodes say so. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { serviceRegistryClient } from '../../pkg/rpc/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxNode } from './sandbox.ts'

const sandbox = new Sandbox()
const state = join(sandbox.directory, 'small')
const ballast = join(state, 'ballast')

afterAll(() => sandbox.close())

async function registryCondition(node: SandboxNode): Promise<string> {
  const operator = await node.operator()
  const { conditions } = await operator.node().status()
  await operator.close()
  return conditions.find(({ name }) => name === 'registry')?.problem ?? ''
}

/** Takes all that is left, to the last byte. */
function fill(): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    try {
      for (;;) writeFileSync(ballast, 'x'.repeat(size), { flag: 'a' })
    } catch {
      // No more of this size.
    }
  }
}

test.skipIf(process.getuid?.() !== 0)(
  'a full disk of the registry',
  async () => {
    mkdirSync(state)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', `nsm-t${process.pid}`, state])
    sandbox.scope.defer(() => void execFileSync('umount', [state]))
    const west = await sandbox.domain('west', { NSM_STATE_DIR: state })
    const node = await west.node('n1')
    await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
    const client = await node.workload()
    const wire = await client.request('kernel://files/nsm-1')
    expect(await registryCondition(node)).toBe('')

    const registry = serviceRegistryClient(client.channel)
    const register = (name: string) => {
      const service = { name, payload: 'IP', matches: [], pathIds: [] } as const
      return registry.register(service, { signal: AbortSignal.timeout(5_000) })
    }
    const registerMany = async () => {
      for (let number = 0; number < 500; number += 1) await register(`more-${number}`)
    }
    fill()
    await expect(registerMany()).rejects.toMatchObject({ code: 'resource_exhausted' })
    await until('the node to say so', async () => (await registryCondition(node)).includes('the disk is full'))
    expect((await client.refresh(wire)).endpointName).toBe('nse-files')
    const another = await node.workload()
    expect((await another.request('kernel://files/nsm-2')).endpointName).toBe('nse-files')

    rmSync(ballast)
    await register('late')
    await until('the node to say so', async () => (await registryCondition(node)) === '')
  },
  60_000,
)
