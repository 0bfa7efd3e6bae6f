/** Runs the test suites one after the other, each bounded in time, and ends with one line that counts them all. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../test/lab/programs.ts'

interface Count {
  readonly passed: number
  readonly failed: number
}

/** Some of the native tests. */
interface Part {
  /** A regular expression for their names. */
  readonly tests: string
  /** What has to be built for them. */
  readonly programs: readonly string[]
}

interface Suite {
  readonly name: string
  run(): Promise<Count>
}

const MINUTE_MS = 60_000
const NATIVE = `${ROOT}/pkg/dataplane/native`
const EVERYTHING: Part = { tests: '.', programs: [] }
/** In which the engine's threads meet: load both ways, keys that change, paths, an engine that ends. */
const THREADED: Part = {
  tests: '^engine-(two-aes|is-away|hostile|roaming|rekey)$',
  programs: ['nsm-dataplane', 'nsm-impair', 'nsm-udp-probe', 'nsm-flood'],
}
const scratch = mkdtempSync(join(tmpdir(), 'nsmesh-test-'))

const SUITES: readonly Suite[] = [
  {
    name: 'style',
    run: () =>
      programs(
        ['biome', 'check', '--error-on-warnings', '.'],
        ['tsc', '--noEmit', '-p', '.'],
        ['buf', 'lint', 'proto'],
        ['knip', '--no-progress'],
      ),
  },
  { name: 'layers', run: () => succeeds([process.execPath, 'hack/lint-layers.ts']) },
  { name: 'unit', run: () => vitest('pkg/', 'cmd/', 'hack/') },
  { name: 'native', run: () => ctest(`${NATIVE}/build`) },
  { name: 'sanitized', run: () => sanitized('address,undefined') },
  { name: 'threads', run: () => sanitized('thread', THREADED) },
  { name: 'fuzz', run: () => succeeds(['hack/fuzz', '--replay']) },
  { name: 'mesh', run: () => vitest('test/') },
  { name: 'demo', run: () => succeeds(['hack/demo', '--check']) },
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name))
if (unknown.length > 0) {
  console.error(`hack/test: no suite ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

let total: Count = { passed: 0, failed: 0 }
for (const suite of SUITES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const startMs = Date.now()
  console.log(`\n== ${suite.name}`)
  const count = await suite.run()
  console.log(
    `== ${suite.name}: ${count.passed} passed, ${count.failed} failed in ${Math.round((Date.now() - startMs) / 1000)} s`,
  )
  total = add(total, count)
}
rmSync(scratch, { recursive: true })
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)

async function vitest(...folders: readonly string[]): Promise<Count> {
  const report = join(scratch, `${folders.join('-').replaceAll('/', '')}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const isGood = await run(['vitest', 'run', ...reporters, '--passWithNoTests', ...folders], 12 * MINUTE_MS)
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'))
  const failed = Math.max(numFailedTests, numFailedTestSuites, isGood ? 0 : 1)
  return { passed: numPassedTests, failed }
}

/** @param wanted a regular expression for the tests' names */
async function ctest(build: string, wanted = '.'): Promise<Count> {
  const report = join(scratch, 'ctest.xml')
  const isGood = await run(
    ['ctest', '--test-dir', build, '--tests-regex', wanted, '--output-on-failure', '--output-junit', report],
    10 * MINUTE_MS,
  )
  const xml = readFileSync(report, 'utf8')
  const number = (name: string) => Number(new RegExp(`<testsuite[^>]*\\s${name}="(\\d+)"`).exec(xml)?.[1] ?? 0)
  const failed = Math.max(number('failures'), isGood ? 0 : 1)
  return { passed: number('tests') - number('failures') - number('skipped') - number('disabled'), failed }
}

/** Native tests once more, with every access watched: of memory, or of one thread to what another has in hands. */
async function sanitized(sanitizers: string, { tests, programs }: Part = EVERYTHING): Promise<Count> {
  const build = `${NATIVE}/build-${sanitizers.replace(',', '-')}`
  const configure = [
    'cmake',
    '-S',
    NATIVE,
    '-B',
    build,
    '-G',
    'Ninja',
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    `-DNSM_SANITIZE=${sanitizers}`,
  ]
  const isBuilt =
    (await run(configure, MINUTE_MS)) && (await run(['ninja', '-C', build, '--quiet', ...programs], 15 * MINUTE_MS))
  return isBuilt ? ctest(build, tests) : { passed: 0, failed: 1 }
}

async function programs(...commands: readonly (readonly string[])[]): Promise<Count> {
  const counts: Count[] = []
  for (const command of commands) counts.push(await succeeds(command))
  return counts.reduce(add)
}

async function succeeds(command: readonly string[]): Promise<Count> {
  const isGood = await run(command, 10 * MINUTE_MS)
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1 }
}

/** Ends the command, and says so, when it takes longer than `mostMs`. */
function run([program = '', ...args]: readonly string[], mostMs: number): Promise<boolean> {
  const PATH = `${ROOT}/node_modules/.bin:${process.env['PATH'] ?? ''}`
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { ...process.env, PATH },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const timer = setTimeout(() => {
    console.log(`hack/test: ${program} took longer than ${mostMs / MINUTE_MS} minutes and was ended`)
    child.kill('SIGTERM')
  }, mostMs)
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code === 0)
    })
  })
}

function add(a: Count, b: Count): Count {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed }
}
