/** A program of the same user in another pod, which has the same identity, against the endpoint of one that is there. */
import { afterAll, beforeAll } from 'vitest'
import { endpointRegistryClient } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'
import { attacks } from './attacks.ts'
import { endpointOf, soon } from './rogue-node.ts'

const sandbox = new Sandbox()
let west: SandboxDomain
let node: SandboxNode
let namesake: Workload

beforeAll(async () => {
  west = await sandbox.domain('west')
  node = await west.node('n1')
  const place = await node.holder.place({ uid: 2000, namespace: 'inode://4/777', pid: 100 })
  await node.endpointIn(place, { service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  namesake = await node.process({ uid: 2000, namespace: 'inode://4/778', pid: 101 })
})
afterAll(() => sandbox.close())

const stolen = () => endpointOf({ name: 'nse-files', networkServiceNames: ['files'], url: 'unix:///run/loot.sock' })
const registries = () => endpointRegistryClient(namesake.channel)

attacks('a pod of the same user does not', () => [
  {
    name: 'take the name of an endpoint whose program is connected',
    run: () => registries().register(stolen(), soon()),
    denied: 'already_exists',
    world: () => west.registered(),
  },
  {
    name: 'unregister it',
    run: () => registries().unregister(stolen(), soon()),
    denied: 'already_exists',
    world: () => west.registered(),
  },
])
