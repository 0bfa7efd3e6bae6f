/** A node that says of one wire UP and DOWN as fast as it can: `toggle.ts URL IDENTITY ID`; the id is the victim's. */
import { once } from 'node:events'
import type { Connection, ConnectionEvent, ConnectionState } from '../../pkg/api/index.ts'
import { silentLogger, systemClock } from '../../pkg/base/index.ts'
import { identityFile, staticSource } from '../../pkg/identity/index.ts'
import { testRecord } from '../../pkg/node/testing/index.ts'
import { monitorService, serve } from '../../pkg/rpc/index.ts'
import { type Count, serveAttacks } from './serve-attacks.ts'

const [url = '', identityPath = '', id = ''] = process.argv.slice(2)
const identity = await identityFile(identityPath).load()
if (identity === undefined) throw new Error(`no identity in ${identityPath}`)

/** Where the streams learn that the attack begins. */
const attacks = new EventTarget()
let attack: { readonly isOver: () => boolean; readonly count: Count } | undefined

async function* monitor(): AsyncGenerator<ConnectionEvent> {
  yield say('INITIAL_STATE_TRANSFER', 'UP')
  for (;;) {
    if (attack === undefined) await once(attacks, 'begin')
    for (let at = 0; attack !== undefined && !attack.isOver(); at += 1) {
      yield say('UPDATE', at % 2 === 0 ? 'DOWN' : 'UP')
      attack?.count('told')
      // The server sends what was written when the event loop turns.
      if (at % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function say(type: ConnectionEvent['type'], state: ConnectionState): ConnectionEvent {
  const { connection } = testRecord(id)
  const [, own] = connection.path.segments
  const segments = own === undefined ? [] : [{ ...own, id: 'client' }, own, { ...own, id: 'far' }]
  const told: Connection = { ...connection, id: 'far', state, path: { index: 2, segments } }
  return { type, connections: new Map([['far', told]]) }
}

const streaming = new Promise<void>((resolve) => {
  const server = {
    monitor: () => {
      resolve()
      return monitor()
    },
  }
  const security = { identity: staticSource(identity) }
  serve({ listen: url, security, services: [monitorService(server)], clock: systemClock, logger: silentLogger })
})
await streaming

serveAttacks(async (isOver, count) => {
  attack = { isOver, count }
  attacks.dispatchEvent(new Event('begin'))
  while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 20))
  attack = undefined
})
