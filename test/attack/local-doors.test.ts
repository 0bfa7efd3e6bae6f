/** Who may administer a node: what the kernel says of a process counts, not its uid alone. */
import { afterAll, beforeAll } from 'vitest'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'
import { type Attack, attacks } from './attacks.ts'

const sandbox = new Sandbox()
let node: SandboxNode
let operator: Workload
let wire: string

beforeAll(async () => {
  node = await (await sandbox.domain('west')).node('n1')
  await node.endpoint({ service: 'files', name: 'nse-files', cidr: '172.16.1.0/24' })
  wire = (await (await node.workload()).request('kernel://files/nsm-1')).id
  operator = await node.operator()
}, 60_000)
afterAll(() => sandbox.close())

/** Root where root is nobody special. */
const places: readonly { readonly who: string; readonly what: { readonly pod?: string; readonly account: string } }[] =
  [
    { who: 'root in a pod', what: { pod: '0b4a2c7e-1c1d-4c5a-9a51-5a3b6c7d8e9f', account: 'pod/0b4a2c7e' } },
    { who: 'root in a container', what: { account: 'unit/system.slice/docker-1.scope' } },
    { who: 'a uid that is root in a user namespace', what: { account: 'uid/1000' } },
  ]

const root = (what: object) => node.process({ uid: 0, namespace: sandbox.namespace(), ...what })
const world = async () => (await operator.node().wires()).wires.map(({ id, state }) => ({ id, state }))
const denied = { code: 'permission_denied', text: /no sufficient privileges/ } as const

attacks('administration of a node', () =>
  places.flatMap(({ who, what }): Attack[] => [
    { name: `${who} asks for its state`, run: async () => (await root(what)).node().status(), denied, world },
    { name: `${who} lists its wires`, run: async () => (await root(what)).node().wires(), denied, world },
    { name: `${who} closes a wire`, run: async () => (await root(what)).node().close(wire), denied, world },
  ]),
)
