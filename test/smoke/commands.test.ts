/** What every public command owes: it answers --help at once and does nothing else, and refuses what it does not know. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processTimes } from '../bench/cpu.ts'
import { DATAPLANE, NSMCTL, ROOT } from '../lab/programs.ts'
import { type Outcome, tryRun } from '../lab/shell.ts'
import { type Checkout, filesIn, freshCheckout } from './checkout.ts'

const AT_ONCE_SECONDS = 1
const HACK = readdirSync(`${ROOT}/hack`).filter((name) => isProgram(`${ROOT}/hack/${name}`))
const PROGRAMS = readdirSync(`${ROOT}/cmd`).map((name) => [process.execPath, `${ROOT}/cmd/${name}/main.ts`])
/** The engine is none: the holder starts it. */
const NATIVE = [[DATAPLANE], [DATAPLANE, 'hold']]

function isProgram(path: string): boolean {
  const { mode } = statSync(path)
  return statSync(path).isFile() && (mode & 0o111) !== 0
}

/** In time of a core: what else the machine does is not the command's fault. */
async function help(command: readonly string[]): Promise<Outcome & { readonly seconds: number }> {
  const before = endedSeconds()
  const outcome = await tryRun([...command, '--help'], { timeoutMs: 10_000 })
  return { ...outcome, seconds: endedSeconds() - before }
}

/** CPU time of all our children that have ended. */
function endedSeconds(): number {
  return processTimes(readFileSync('/proc/self/stat', 'utf8')).endedSeconds
}

describe('in a fresh clone', () => {
  let checkout: Checkout
  beforeAll(async () => {
    checkout = await freshCheckout()
  })
  afterAll(() => checkout?.remove())

  test.each(HACK)('hack/%s --help answers at once, and installs and builds nothing', async (name) => {
    const before = filesIn(checkout.root)
    const { seconds, ...outcome } = await help([`${checkout.root}/hack/${name}`])
    expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\w+ \w+/) })
    expect(seconds).toBeLessThan(AT_ONCE_SECONDS)
    expect(filesIn(checkout.root)).toEqual(before)
  })
})

describe.each([...PROGRAMS, ...NATIVE].map((command) => ({ command, name: command.join(' ').replaceAll(ROOT, '') })))(
  '$name',
  ({ command }) => {
    test('--help answers at once', async () => {
      const { seconds, ...outcome } = await help(command)
      expect(outcome).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\w+ \w+/) })
      expect(seconds).toBeLessThan(AT_ONCE_SECONDS)
    })
    test('an option that it does not know is refused', async () => {
      expect(await tryRun([...command, '--no-such-option'])).toMatchObject({ code: 2, stdout: '' })
    })
  },
)

test.each(HACK)('hack/%s refuses an option that it does not know', async (name) => {
  const outcome = await tryRun([`${ROOT}/hack/${name}`, '--no-such-option'])
  expect(outcome).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--no-such-option') })
})

describe.each(['README.md', 'CONTRIBUTING.md'].filter((page) => existsSync(`${ROOT}/${page}`)))('%s', (page) => {
  const text = readFileSync(`${ROOT}/${page}`, 'utf8')
  const commands = [...text.matchAll(/\.?\/?\bhack\/([\w-]+)((?: --[\w-]+)*)/g)]
  const mentioned = new Map(commands.map(([, name = '', options = '']) => [`${name}${options}`, { name, options }]))

  test.each([...mentioned.values()])('names a command that is there: hack/$name$options', async ({ name, options }) => {
    const program = [name, `${name}.ts`].find((file) => readdirSync(`${ROOT}/hack`).includes(file))
    expect(program).toBeDefined()
    if (options === '') return
    const { stdout } = await tryRun([`${ROOT}/hack/${name}`, '--help'])
    for (const option of options.trim().split(' ')) expect(stdout).toContain(option)
  })

  const subcommands = new Set([...text.matchAll(/nsmctl ((?:domain|node) \w+|[a-z]+)/g)].map(([, words = '']) => words))
  test.each([...subcommands])('names a command of nsmctl: %s', async (words) => {
    expect(await tryRun([NSMCTL, ...words.split(' '), '--help'])).toMatchObject({ code: 0 })
  })
})
