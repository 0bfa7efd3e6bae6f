/** Attacks on policies: rules that are to be got round, files that are to cost more than their share. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type Connection, nodeV1 } from '../../pkg/api/index.ts'
import { parseNsmUrl } from '../../pkg/client/index.ts'
import { firstRequest } from '../../pkg/client/requests.ts'
import { loadPolicy } from '../../pkg/policy/index.ts'
import { clientOf, endpointRegistryClient, serviceRegistryClient } from '../../pkg/rpc/index.ts'
import { Sandbox, type SandboxNode } from '../sandbox/sandbox.ts'
import type { Workload } from '../sandbox/workload.ts'
import { type Attack, attacks } from './attacks.ts'

/** Uids 1000 and 3000 may request, with a label; uid 2000 may serve db. Nobody else may. */
const NEAR = `defaults: {request: deny, watch: deny}
rules:
  - {name: mine, effect: allow, actions: [request, watch], when: "client.uid in ['1000', '3000']"}
  - {name: label, effect: deny, actions: [request], when: claimed.labels.team != 'a'}
  - {name: server, effect: deny, actions: [serve], when: "service == 'db' && client.uid != '2000'"}
`
/** Only uid 1000 may have db, whatever the rule says that allows everything to everybody. */
const FAR = `rules:
  - {name: everybody, effect: allow, actions: [request, serve, watch, administer]}
  - {name: one-client, effect: deny, actions: [request], when: "service == 'db' && client.uid != '1000'"}
`

const sandbox = new Sandbox()
const signal = AbortSignal.timeout(60_000)
let near: SandboxNode
let far: SandboxNode
let mallory: Workload
let alice: Workload
let bob: Workload

function policyFile(name: string, text: string): Readonly<Record<string, string>> {
  mkdirSync(sandbox.directory, { recursive: true })
  const path = join(sandbox.directory, `${name}-policy.yaml`)
  writeFileSync(path, text)
  return { NSM_POLICY: path }
}

beforeAll(async () => {
  const west = await sandbox.domain('west')
  const east = await sandbox.domain(
    'east',
    policyFile('registry', "rules: [{name: no-secret, effect: deny, actions: [federate], when: service == 'secret'}]"),
  )
  near = await west.node('n1', policyFile('near', NEAR))
  far = await east.node('n1', policyFile('far', FAR))
  await west.joinTo(east)
  await near.endpoint({ service: 'db', name: 'nse-db', cidr: '172.16.0.0/24' })
  await far.endpoint({ service: 'db', name: 'nse-db', cidr: '172.16.1.0/24' })
  await far.endpoint({ service: 'secret', name: 'nse-secret', cidr: '172.16.2.0/24' })
  await far.endpoint({ service: 'open', name: 'nse-open', cidr: '172.16.3.0/24' })
  await east.export('db')
  await east.export('secret')
  await east.export('open', 'west', "client.uid == '1000'")
  mallory = await near.workload(4711)
  alice = await near.workload(1000)
  bob = await near.workload(3000)
}, 60_000)
afterAll(() => sandbox.close())

const world = async () => [near, far].map(({ engine, kernel }) => [engine.ports.size, kernel.transcript.length])
const denied = 'permission_denied'

function request(workload: Workload, service: string, change: Partial<Connection> = {}) {
  const first = firstRequest({
    client: 'client',
    id: `c-${service}`,
    url: parseNsmUrl(`kernel://${service}/nsm-1`),
    labels: { team: 'a' },
  })
  return workload.send({ ...first, connection: { ...first.connection, ...change } })
}

attacks('rules that are to be got round', () => [
  { name: 'a workload that no rule allows', run: () => request(mallory, 'db'), denied, world },
  {
    name: 'one that claims the labels and the name of the node',
    run: () => request(mallory, 'db', { labels: { team: 'a', 'client.uid': '1000', nodeName: 'n9' } }),
    denied,
    world,
  },
  {
    name: 'one without the label on which a rule denies',
    run: () => request(alice, 'db', { labels: {} }),
    denied,
    world,
  },
  {
    name: 'one with more labels than are weighed',
    run: () =>
      request(alice, 'db', { labels: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`${at}`, ''])) }),
    denied: { code: denied, text: /too large/ },
    world,
  },
  {
    name: 'one that names the endpoint instead',
    run: () => request(mallory, 'db', { endpointName: 'nse-db' }),
    denied,
    world,
  },
  {
    name: 'one that its own domain lets through, and the policy of the other does not',
    run: () => request(bob, 'db@east'),
    denied,
    world,
  },
  {
    name: 'one for whom the export is not, where a rule allows everything to everybody',
    run: () => request(bob, 'open@east'),
    denied,
    world,
  },
  {
    name: 'a service that is exported, and that the policy of its registry does not share',
    run: () => request(alice, 'secret@east'),
    denied: 'not_found',
    world,
  },
  {
    name: 'a workload that registers a service under the same name',
    run: () =>
      serviceRegistryClient(mallory.channel).register(
        { name: 'db', payload: 'IP', matches: [], pathIds: [] },
        { signal },
      ),
    denied,
    world,
  },
  {
    name: 'one that registers an endpoint of it, among others',
    run: () =>
      endpointRegistryClient(mallory.channel).register(
        {
          name: 'nse-mallory',
          networkServiceNames: ['other', 'db'],
          networkServiceLabels: new Map(),
          url: 'unix:///run/mallory.sock',
          expiresMs: undefined,
          registeredMs: undefined,
          pathIds: ['spiffe://west/node/n1/uid/2000'],
        },
        { signal },
      ),
    denied,
    world,
  },
  {
    name: 'a workload that asks what the policy says',
    run: () => clientOf(nodeV1.NodeService, mallory.channel).diffPolicy({ files: [] }, { signal }),
    denied,
    world,
  },
  {
    name: 'a container of the other domain, where a rule allows everybody to administer',
    run: async () => (await far.workload(4711)).node().wires(),
    denied,
    world,
  },
])

const load = (text: string) => async () => loadPolicy([{ path: 'policy.yaml', text }], 'west')
const rule = (when: string, name = 'a') =>
  `{name: ${name}, effect: deny, actions: [request], when: ${JSON.stringify(when)}}`
const policy = (when: string) => `rules: [${rule(when)}]`
const nested = (depth: number): string => (depth === 0 ? 'true' : `claimed.labels.all(k${depth}, ${nested(depth - 1)})`)
const refused = 'invalid_argument'
const unchanged = async () => undefined

attacks('policy files that are to cost more than their share', (): readonly Attack[] =>
  [
    ['a regular expression that backtracks', policy("service.matches('(a+)+$')"), refused],
    ['quantifiers in quantifiers', policy(nested(3)), 'resource_exhausted'],
    ['quantifiers as deep as they go', policy(nested(20)), refused],
    [
      'a thousand rules for every service',
      `rules: [${Array.from({ length: 1_000 }, (_, at) => rule("client.uid == '1'", `r${at}`))}]`,
      'resource_exhausted',
    ],
    ['ten thousand rules', `rules: [${Array.from({ length: 10_000 }, (_, at) => rule('true', `r${at}`))}]`, refused],
    ['a list of ten thousand names', policy(`service in [${Array.from({ length: 10_000 }, () => "'a'")}]`), refused],
    ['ten thousand parentheses', policy(`${'('.repeat(10_000)}true${')'.repeat(10_000)}`), refused],
    [
      'aliases of aliases',
      ['a: &a [x]', ...Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [*a, *a, *a]`)].join('\n'),
      refused,
    ],
    ['lists in lists, a hundred thousand deep', '['.repeat(100_000), refused],
    ['the prototype of every object', '__proto__: {rules: []}', refused],
    ['a tag that makes an object', 'rules: !!js/function "process.exit(1)"', refused],
  ].map(([name = '', text = '', code]) => ({
    name,
    run: load(text),
    denied: code as typeof refused,
    world: unchanged,
  })),
)
