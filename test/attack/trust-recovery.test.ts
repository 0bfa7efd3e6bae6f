import { afterAll, beforeAll, expect, it } from 'vitest'
import { errorCode, silentLogger } from '../../pkg/base/index.ts'
import { FakeClock } from '../../pkg/base/testing/index.ts'
import { migrations } from '../../pkg/daemon/nsm-registry/migrations.ts'
import { withoutPolicy } from '../../pkg/policy/index.ts'
import { EndpointRegistry, OtherDomains, sqliteStore } from '../../pkg/registry/index.ts'
import { callOf, endpoint, FakeExports, registering } from '../../pkg/registry/testing/index.ts'
import { openDatabase } from '../../pkg/store/index.ts'
import { until } from '../lab/until.ts'
import { Sandbox, type SandboxDomain, type SandboxNode } from '../sandbox/sandbox.ts'
import { RogueNode } from './rogue-node.ts'

/** The registry loses all its records while the owners of names live, and a stolen node is the first to come back. */
const sandbox = new Sandbox()
const NAMES = ['a', 'b', 'c', 'd']
let west: SandboxDomain
let honest: SandboxNode
let stolen: RogueNode

beforeAll(async () => {
  west = await sandbox.domain('west')
  honest = await west.node('n1')
  stolen = await RogueNode.join(west, 'n2')
  for (const [index, name] of NAMES.entries()) {
    await honest.endpoint({ service: name, name: `nse-${name}`, cidr: `172.16.${index}.0/24` })
  }
}, 30_000)
afterAll(async () => {
  stolen.close()
  await sandbox.close()
})

const owned = async () => {
  const records = await west.registered()
  return records.filter(({ name }) => NAMES.some((each) => name === each || name === `nse-${each}`))
}

async function capture(): Promise<readonly string[]> {
  const tries = NAMES.flatMap((name) => [
    stolen.register({ name: `nse-${name}`, networkServiceNames: [name] }),
    stolen.register({ name: `rogue-${name}`, networkServiceNames: [name] }),
    stolen.registerService({ name }),
    // An endpoint that is back, as its claim allows, begins to serve more.
    stolen.register({ name: 'its-own', networkServiceNames: ['its-own', name] }),
  ])
  return Promise.all(tries.map((each) => each.then(() => 'captured', errorCode)))
}

it('no name is captured after the records were lost', async () => {
  const { claim = '' } = await stolen.register({ name: 'its-own', networkServiceNames: ['its-own'] })
  await west.loseRecords()
  await stolen.register({ name: 'its-own', networkServiceNames: ['its-own'], claim })
  const outcomes: string[] = []
  await until(
    'the living to be back',
    async () => {
      outcomes.push(...(await capture()))
      return (await owned()).filter(({ name }) => name.startsWith('nse-')).length === NAMES.length
    },
    15_000,
  )
  outcomes.push(...(await capture()))
  expect(new Set(outcomes)).not.toContain('captured')
  for (const { pathIds } of await owned()) expect(pathIds[1]).toBe('spiffe://west/node/n1')
})

it('nor when the registry starts again before they are back', async () => {
  await honest.stop()
  await west.loseRecords()
  await west.stop()
  await west.start()
  expect(new Set(await capture())).not.toContain('captured')
  await honest.start()
  const areBack = async () => (await owned()).filter(({ name }) => name.startsWith('nse-')).length === NAMES.length
  await until('the living to be back', areBack, 15_000)
}, 30_000)

it('nor taken back by who gave it up two days before', async () => {
  const [clock, owner] = [new FakeClock(), callOf('spiffe://west/node/n1')]
  const before = await emptyRegistry(clock)
  const { claim = '' } = await before.registry.register(endpoint('nse-1'), owner)
  await before.registry.unregister(endpoint('nse-1'), owner)
  before.close()
  for (let day = 0; day < 2; day += 1) await clock.advance(24 * 3_600_000)
  const after = await emptyRegistry(clock, clock.nowMs() + 60_000)
  const taken = after.registry.register(endpoint('nse-1', { claim }), owner)
  expect(await taken.then(() => 'captured', errorCode)).toBe('unavailable')
  after.close()
})

async function emptyRegistry(clock: FakeClock, recoversUntilMs = 0) {
  const database = openDatabase(':memory:', { application: 'recovery test', migrations })
  const registryOf = () => {
    throw new Error('nobody asks another domain here')
  }
  const common = { domain: 'west', clock, logger: silentLogger }
  const others = new OtherDomains({ ...common, registryOf })
  const registry = await EndpointRegistry.open({
    ...common,
    ...registering(clock, recoversUntilMs),
    store: sqliteStore(database),
    exports: new FakeExports(),
    policy: withoutPolicy,
    others,
    defaultExpiryMs: 60_000,
  })
  const close = () => {
    registry.close()
    others.close()
    database.close()
  }
  return { registry, close }
}
