/** The store when the process is killed between any two writes, and when the disk is full. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NsmError } from '../../pkg/base/index.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../../pkg/store/index.ts'

const options = {
  application: 'disk test',
  migrations: [
    `CREATE TABLE notes (n INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
     CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
     INSERT INTO total VALUES (1, 0)`,
  ],
}

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsm-disk-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const total = (database: Database) => database.query('SELECT n FROM total', (row) => row.integer('n')).get() ?? -1
const notes = (database: Database) =>
  database.query('SELECT count(*) AS n, coalesce(max(n), 0) AS last FROM notes', (row) => ({
    count: row.integer('n'),
    last: row.integer('last'),
  }))

/** Writes one note after the other and prints its number once it is on disk. */
const writer = `
  import { writeSync } from 'node:fs'
  import { openDatabase } from ${JSON.stringify(new URL('../../pkg/store/index.ts', import.meta.url).href)}
  const database = openDatabase(process.argv[1], JSON.parse(process.argv[2]))
  const note = database.command('INSERT INTO notes VALUES (?, ?)')
  const count = database.command('UPDATE total SET n = ?')
  for (let n = Number(process.argv[3]); ; n += 1) {
    database.transaction(() => {
      note.run(n, 'x'.repeat(n % 5000))
      count.run(n)
    })
    writeSync(1, n + '\\n')
  }
`

interface File {
  readonly path: string
  readonly survives: NonNullable<DatabaseOptions['survives']>
}

/** Kills the writer some time after it has written `most` notes; returns the last one that it has answered for. */
async function writeAndKill({ path, survives }: File, from: number, most: number): Promise<number> {
  const args = [
    '--no-warnings',
    '--input-type=module',
    '-e',
    writer,
    path,
    JSON.stringify({ ...options, survives }),
    String(from),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let answered = from - 1
  for await (const line of createInterface({ input: child.stdout })) {
    answered = Number(line)
    if (answered >= from + most) child.kill('SIGKILL')
  }
  return answered
}

describe('openDatabase after kill -9', () => {
  test('has every write that was answered and none by half, at 40 points with a sync and 40 without', async () => {
    const rounds = async (file: File) => {
      const { path, survives } = file
      let last = 0
      for (let round = 0; round < 40; round += 1) {
        const answered = await writeAndKill(file, last + 1, Math.floor(Math.random() * 20))
        const database = openDatabase(path, { ...options, survives })
        last = total(database)
        expect(last).toBeGreaterThanOrEqual(answered)
        expect(notes(database).get()).toEqual({ count: last, last })
        database.close()
      }
    }
    const file = (survives: File['survives']) => ({ path: join(directory, `${survives}.db`), survives })
    await Promise.all([rounds(file('power cut')), rounds(file('crash'))])
  }, 120_000)
})

describe.skipIf(process.getuid?.() !== 0)('a full disk (needs root for a small tmpfs)', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', `nsm-t${process.pid}`, directory])
  })
  afterEach(() => {
    execFileSync('umount', [directory])
  })

  test('refuses new writes by name, keeps what is there, and goes on when there is room', () => {
    const database = openDatabase(join(directory, 'state.db'), options)
    const note = database.command('INSERT INTO notes VALUES (?, ?)')
    writeFileSync(join(directory, 'ballast'), 'x'.repeat(300_000))
    let written = 0
    const fill = () => {
      for (;;) {
        note.run(written + 1, 'x'.repeat(5000))
        written += 1
      }
    }
    expect(fill).toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message: 'Cannot write the state file: the disk is full',
        next: 'free some space',
      }),
    )
    const failing = () => database.transaction(() => note.run(written + 1, 'x'.repeat(50_000)))
    expect(failing).toThrow(NsmError)
    expect(notes(database).get()).toEqual({ count: written, last: written })
    rmSync(join(directory, 'ballast'))
    note.run(written + 1, 'x')
    database.close()
    const again = openDatabase(join(directory, 'state.db'), options)
    expect(notes(again).get()).toEqual({ count: written + 1, last: written + 1 })
    again.close()
  })

  test('says so when not even an empty file fits', () => {
    const fill = () => writeFileSync(join(directory, 'ballast'), 'x'.repeat(2_000_000))
    expect(fill).toThrow('ENOSPC')
    expect(() => openDatabase(join(directory, 'state.db'), options)).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
  })
})
