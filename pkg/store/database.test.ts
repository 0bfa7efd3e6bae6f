import { chmodSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError } from '../base/index.ts'
import { type Database, type DatabaseOptions, openDatabase } from './index.ts'

const options = {
  application: 'store test',
  migrations: ['CREATE TABLE notes (id TEXT PRIMARY KEY, size INTEGER, body BLOB) STRICT'],
}

let directory = ''
let path = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsm-store-'))
  path = join(directory, 'state', 'notes.db')
})
afterEach(() => rmSync(directory, { recursive: true }))

function refusal(action: () => unknown): NsmError {
  try {
    action()
  } catch (error) {
    if (error instanceof NsmError) return error
    throw error
  }
  throw new Error('was not refused')
}

function put(database: Database, id: string): void {
  database.command('INSERT INTO notes VALUES (?, ?, ?)').run(id, id.length, new Uint8Array([1, 2]))
}

const ids = (database: Database) => database.query('SELECT id FROM notes ORDER BY id', (row) => row.text('id')).all()

test('a database tells why it cannot write, until it can again', () => {
  const database = openDatabase(path, options)
  const limit = (pages: number) => database.query(`PRAGMA max_page_count = ${pages}`, () => 0).all()
  expect(database.problem).toBe('')
  const told: boolean[] = []
  database.onProblem(() => told.push(database.problem !== ''))
  limit(1)
  const large = new Uint8Array(1_000_000)
  const write = () => database.command('INSERT INTO notes VALUES (?, ?, ?)').run('large', 1, large)
  expect(refusal(write)).toMatchObject({ code: 'resource_exhausted', next: 'free some space' })
  expect(database.problem).toContain('Cannot write the state file: the disk is full')
  limit(100_000)
  write()
  expect([database.problem, told]).toEqual(['', [true, false]])
  database.close()
})

describe('openDatabase', () => {
  test('creates a private file in a private directory and keeps what was written', () => {
    const first = openDatabase(path, options)
    put(first, 'a')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'state')).mode & 0o777).toBe(0o700)
    first.close()
    const second = openDatabase(path, options)
    expect(ids(second)).toEqual(['a'])
    second.close()
  })

  test('syncs each commit, unless it need not survive a power cut', () => {
    const syncs = (survives?: DatabaseOptions['survives']) => {
      const database = openDatabase(path, { ...options, ...(survives && { survives }) })
      const mode = database.query('PRAGMA synchronous', (row) => row.integer('synchronous')).get()
      database.close()
      return mode
    }
    const [normal, full] = [1, 2] // https://sqlite.org/pragma.html#pragma_synchronous
    expect([syncs(), syncs('power cut'), syncs('crash')]).toEqual([full, full, normal])
  })

  test('makes an existing file private', () => {
    openDatabase(path, options).close()
    chmodSync(path, 0o644)
    openDatabase(path, options).close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('refuses a file that is open, and names the process', () => {
    const first = openDatabase(path, options)
    const error = refusal(() => openDatabase(path, options))
    expect(error.code).toBe('failed_precondition')
    expect(error.message).toContain('another process has it open')
    expect(error.fields).toEqual({ path, pid: process.pid })
    expect(error.next).toContain('stop that process first')
    put(first, 'still works')
    first.close()
  })

  test('refuses a file of a newer version and leaves it as it was', () => {
    const newer = { ...options, migrations: [...options.migrations, 'CREATE TABLE more (id TEXT) STRICT'] }
    openDatabase(path, newer).close()
    const error = refusal(() => openDatabase(path, options))
    expect(error.code).toBe('failed_precondition')
    expect(error.message).toContain('written by a newer version')
    expect(error.fields).toEqual({ path, schema: 2, known: 1 })
    expect(error.next).toBe('start that version, or restore a backup')
    openDatabase(path, newer).close()
  })

  test('refuses the file of another program', () => {
    openDatabase(path, options).close()
    const error = refusal(() => openDatabase(path, { ...options, application: 'other' }))
    expect(error.code).toBe('failed_precondition')
    expect(error.message).toContain('another program wrote it')
  })

  test('migrates an old file, and a migration that fails changes nothing', () => {
    const old = openDatabase(path, options)
    put(old, 'a')
    old.close()
    const broken = [...options.migrations, 'ALTER TABLE notes ADD COLUMN age INTEGER; SELECT nonsense FROM nowhere']
    expect(() => openDatabase(path, { ...options, migrations: broken })).toThrow(NsmError)
    const fixed = [...options.migrations, 'ALTER TABLE notes ADD COLUMN age INTEGER NOT NULL DEFAULT 7']
    const database = openDatabase(path, { ...options, migrations: fixed })
    expect(database.query('SELECT age FROM notes', (row) => row.integer('age')).all()).toEqual([7])
    database.close()
  })

  test.each([
    ['no database', () => writeFileSync(path, 'not a database'.repeat(500)), /not a database/],
    ['cut off', () => truncateSync(path, 5000), /damaged/],
    [
      'overwritten in the middle',
      () => writeFileSync(path, new Uint8Array(4096).fill(7), { flag: 'r+' }),
      /not a database/,
    ],
  ])('refuses a file that is %s with what to do', (_, damage, message) => {
    const database = openDatabase(path, options)
    for (let index = 0; index < 500; index += 1) put(database, `note ${index}`)
    database.close()
    damage()
    const error = refusal(() => openDatabase(path, options))
    expect(error.code).toBe('failed_precondition')
    expect(error.message).toMatch(message)
    expect(error.next).toContain('restore a backup')
  })

  test('refuses a directory that cannot be created', () => {
    writeFileSync(join(directory, 'state'), '')
    expect(refusal(() => openDatabase(path, options)).code).toBe('unavailable')
  })
})

describe('Database', () => {
  let database: Database
  beforeEach(() => {
    database = openDatabase(':memory:', options)
  })
  afterEach(() => database.close())

  test('reads each column as the type the schema promises', () => {
    put(database, 'abc')
    const notes = database.query('SELECT * FROM notes WHERE id = ?', (row) => [
      row.text('id'),
      row.integer('size'),
      row.blob('body'),
    ])
    expect(notes.get('abc')).toEqual(['abc', 3, new Uint8Array([1, 2])])
    expect(notes.get('nobody')).toBeUndefined()
    expect(refusal(() => database.query('SELECT * FROM notes', (row) => row.integer('id')).all()).code).toBe('internal')
  })

  test('counts changed rows and reports a conflict', () => {
    put(database, 'a')
    expect(refusal(() => put(database, 'a')).code).toBe('already_exists')
    expect(database.command('DELETE FROM notes WHERE id = ?').run('a')).toBe(1)
    expect(database.command('DELETE FROM notes WHERE id = ?').run('a')).toBe(0)
  })

  test('a transaction is all or nothing, also when nested', () => {
    const failing = () =>
      database.transaction(() => {
        put(database, 'a')
        database.transaction(() => put(database, 'b'))
        throw new NsmError('internal', 'no')
      })
    expect(failing).toThrow('no')
    expect(ids(database)).toEqual([])
    database.transaction(() => {
      put(database, 'a')
      database.transaction(() => put(database, 'b'))
    })
    expect(ids(database)).toEqual(['a', 'b'])
  })
})
