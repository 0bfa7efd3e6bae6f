import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type ConnectionRecord, connectionRecords, connectionsSchema, ownerNamespaces } from '../connections/index.ts'
import type { End, WireKey } from '../mechanism/index.ts'
import { openDatabase } from '../store/index.ts'
import { MemoryRecords, refreshOf, TestEndpoint, TestNode } from './testing/test-node.ts'

interface Released {
  readonly record: ConnectionRecord
  readonly nodeKey: WireKey
  readonly intent: { readonly client: Partial<End>; readonly server: Partial<End> }
}

/** What both nodes of a wire had when they ran nsmesh 0.1. */
type Pair = Readonly<Record<'near' | 'far', Released>>

const released: Readonly<Record<'ip' | 'vxlan', Pair>> = JSON.parse(
  readFileSync(new URL('testing/connections-of-0.1.json', import.meta.url), 'utf8'),
)

const options = { ip: {}, vxlan: { payload: 'ETHERNET', vxlanPort: 4789 } } as const

/** As nsmd finds it on disk after an upgrade. */
function migrated(record: ConnectionRecord): ConnectionRecord {
  const database = openDatabase(':memory:', { application: 'test', migrations: [connectionsSchema] })
  const store = connectionRecords(database)
  store.put(record)
  database.command(ownerNamespaces).run()
  const [found = record] = store.load()
  database.close()
  return found
}

function pair(which: keyof typeof released) {
  const { near: ours, far: theirs } = released[which]
  const endpoint = new TestEndpoint()
  const records = (of: Released) => {
    const records = new MemoryRecords()
    records.put(migrated(of.record))
    return { records, nodeKey: of.nodeKey, ...options[which] }
  }
  const far = new TestNode({ name: 'n2', ...records(theirs), connect: () => endpoint.hop() })
  const near = new TestNode({ clock: far.clock, ...records(ours), connect: () => far.hop('spiffe://west/node/n1') })
  far.serve('files', 'nse-a')
  near.serve('files', 'nse-a', far.self.publicUrl)
  return { near, far }
}

/** What of an end may not change under a standing wire. */
function standing({ client, server }: { readonly client: Partial<End>; readonly server: Partial<End> }) {
  return [client, server].map((end) => ({
    ...('peer' in end ? { peer: end.peer } : {}),
    ...('vni' in end ? { vni: end.vni } : {}),
    ...('privateKey' in end ? { privateKey: end.privateKey, peerKey: end.peerInitiatorKey, aead: end.aead } : {}),
    ...('interfaceName' in end ? { namespace: end.namespace, interfaceName: end.interfaceName } : {}),
  }))
}

it.each(['ip', 'vxlan'] as const)(
  'a connection that an earlier release stored is refreshed as it stands: %s',
  async (which) => {
    const { near, far } = pair(which)
    const { connection } = released[which].near.record
    const asked = { ...connection, id: 'client-0', path: { ...connection.path, index: 0 } }
    await near.service.request(refreshOf(asked), near.call())
    expect([...near.intents.values()].map(standing)).toEqual([standing(released[which].near.intent)])
    expect([...far.intents.values()].map(standing)).toEqual([standing(released[which].far.intent)])
  },
)
