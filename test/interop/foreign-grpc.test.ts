/** A second gRPC implementation and a second TLS stack, on both ends of a wire. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { nsmctl, workloadEnvironment } from '../lab/cluster.ts'
import { oneCluster } from '../lab/one-cluster.ts'
import { ROOT } from '../lab/programs.ts'
import { type Piped, run } from '../lab/shell.ts'
import { startWorkload, type Workload } from '../lab/workload.ts'

const cluster = oneCluster(1)

/** A python process in a workload, and what it says step by step. */
class Python {
  readonly #child: Piped
  readonly #lines: AsyncIterator<string>
  readonly #gone: Promise<unknown>

  constructor(workload: Workload, args: readonly string[]) {
    const { node, host } = workload
    const env = {
      ...workloadEnvironment(node),
      NODE_NAME: node.name,
      NODE_ID: `spiffe://${node.domain}/node/${node.name}`,
    }
    // Debian's own interpreter, which has Debian's grpcio.
    this.#child = host.pipe(['/usr/bin/python3', `${ROOT}/test/interop/foreign_grpc.py`, ...args], { env })
    this.#gone = once(this.#child, 'exit')
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async says(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next()
    return done === true ? { ended: true } : JSON.parse(value)
  }

  goOn(): void {
    this.#child.stdin.write('\n')
  }

  async end(): Promise<void> {
    this.#child.stdin.end()
    await this.#gone
  }
}

test('python3-grpcio registers an endpoint, finds it, and requests and closes a wire that carries pings', async () => {
  const { lab, node } = cluster()
  const descriptors = `${lab.directory}/nsm.binpb`
  await run(['buf', 'build', `${ROOT}/proto`, '-o', descriptors])
  const server = await startWorkload(lab, node, 'py-endpoint')
  const client = await startWorkload(lab, node, 'py-client')

  const endpoint = new Python(server, [descriptors, 'endpoint', `${lab.folder('python')}/foreign.sock`])
  expect(await endpoint.says()).toEqual({ identity: 'spiffe://west/node/west-1/uid/0' })
  expect(await endpoint.says()).toEqual({ registered: 'foreign-1' })

  const user = new Python(client, [descriptors, 'client'])
  expect(await user.says()).toEqual({ identity: 'spiffe://west/node/west-1/uid/0' })
  expect(await user.says()).toEqual({ found: ['foreign-1'] })
  expect(await user.says()).toEqual({
    interface: 'nsm-1',
    addresses: ['10.77.0.2/32'],
    path: ['python', 'west-1', 'foreign-1'],
  })
  expect(await endpoint.says()).toEqual({ requested: 'foreign', by: 'spiffe://west/node/west-1' })
  await client.host.run(['ping', '-c', '3', '-i', '0.05', '-W', '1', '10.77.0.1'])
  expect(JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)).toMatchObject([{ state: 'up' }])

  user.goOn()
  expect(await user.says()).toEqual({ gone: 'python-0' })
  expect(await endpoint.says()).toMatchObject({ closed: expect.any(String) })
  expect((await client.host.tryRun(['ip', 'link', 'show', 'nsm-1'])).code).not.toBe(0)
  expect(JSON.parse((await nsmctl(node, 'get', 'wires', '-o', 'json')).stdout)).toEqual([])
  await user.end()
  await endpoint.end()
}, 60_000)
