import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FakeEngine, fakeDataplane } from '../dataplane/testing/index.ts'
import type { WireIntent } from '../mechanism/index.ts'
import { FakeKernel, fakePlatform } from '../platform/testing/index.ts'
import { openDatabase } from '../store/index.ts'
import { IntentStore, intentMigrations, type WireRecord } from './intent-store.ts'
import { wireKinds } from './kinds/index.ts'
import { planWire } from './plan-wire.ts'
import { localWire, remoteWire, vxlanWire, wireguardEnd } from './testing/fake-node.ts'

/** Rows as nsmesh 0.1 wrote them, of the wires of the fake node. */
const released: readonly { readonly intent: { readonly id: string } }[] = JSON.parse(
  readFileSync(new URL('testing/intents-of-0.1.json', import.meta.url), 'utf8'),
)

/** The database of a node that runs nsmesh 0.1. */
function releasedDatabase(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nsm-intents-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'wires.db')
  const database = openDatabase(path, { application: 'nsmd wires', migrations: intentMigrations.slice(0, 1) })
  const put = database.command('INSERT INTO intents (id, record) VALUES (?, ?)')
  for (const row of released) put.run(row.intent.id, JSON.stringify(row))
  database.close()
  return path
}

function open(path: string): IntentStore {
  const database = openDatabase(path, { application: 'nsmd wires', migrations: intentMigrations })
  onTestFinished(() => database.close())
  return new IntentStore(database)
}

/** As JSON leaves it. */
function stored(intent: WireIntent, tables: Partial<WireRecord['tables']> = {}): WireRecord {
  return JSON.parse(JSON.stringify({ intent, tables: { client: [], server: [], ...tables } }))
}

const kinds = wireKinds(fakePlatform(new FakeKernel()), fakeDataplane(new FakeEngine()))

/** Everything that the node makes of it. */
function objectsOf({ intent, tables }: WireRecord): unknown {
  return planWire(kinds, intent, tables).map(({ kind, spec }) => [kind.name, spec])
}

test('intents that an earlier release wrote are the same wires, so that a node upgrades under standing ones', () => {
  const answering = {
    client: { ...wireguardEnd('answering-5', 'client'), probeMessages: false },
    server: localWire('answering-5').server,
  }
  const wires = [
    stored(localWire('local-1')),
    stored(remoteWire('sealed-2'), { client: [1] }),
    stored(vxlanWire('plain-3')),
    stored(remoteWire('frames-4', { payload: 'ETHERNET' }), { client: [2] }),
    stored(remoteWire('answering-5', answering)),
  ]
  const upgraded = open(releasedDatabase()).all()
  expect(upgraded.map(({ intent }) => intent.id)).toEqual(wires.map(({ intent }) => intent.id))
  expect(upgraded.map(objectsOf)).toEqual(wires.map(objectsOf))
})

test('intents come back in the order in which they were first put', () => {
  const store = open(':memory:')
  for (const id of ['b', 'a', 'b']) store.put(stored(localWire(id)))
  store.delete('none')
  expect(store.all()).toEqual([stored(localWire('b')), stored(localWire('a'))])
})
