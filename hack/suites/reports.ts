/** Test runners that count for themselves: vitest and ctest. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Count, MINUTE_MS, run } from './run.ts'

export interface VitestOptions {
  /** How many files run at the same time. */
  readonly atOnce?: number
  readonly limitMs?: number
}

/** @param project of vitest.config.ts */
export function vitest(project: string, { atOnce = 1, limitMs = 12 * MINUTE_MS }: VitestOptions = {}): Promise<Count> {
  return withFile('report.json', async (report) => {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const command = ['vitest', 'run', '--project', project, `--maxWorkers=${atOnce}`]
    const isGood = await run([...command, ...reporters], limitMs)
    if (!existsSync(report)) return { passed: 0, failed: 1 } // it was ended, or did not start
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'))
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites, isGood ? 0 : 1) }
  })
}

export interface Chosen {
  /** Regular expressions of the tests' names. */
  readonly only?: string
  readonly except?: string
  /** How many run at the same time. */
  readonly atOnce?: number
}

export function ctest(build: string, { only = '.', except = '^$', atOnce = 1 }: Chosen = {}): Promise<Count> {
  return withFile('report.xml', async (report) => {
    const which = ['--tests-regex', only, '--exclude-regex', except]
    const how = ['--parallel', `${atOnce}`, '--output-on-failure', '--output-junit', report]
    const isGood = await run(['ctest', '--test-dir', build, ...which, ...how], 10 * MINUTE_MS)
    if (!existsSync(report)) return { passed: 0, failed: 1 }
    const xml = readFileSync(report, 'utf8')
    const number = (name: string) => Number(new RegExp(`<testsuite[^>]*\\s${name}="(\\d+)"`).exec(xml)?.[1] ?? 0)
    const passed = number('tests') - number('failures') - number('skipped') - number('disabled')
    return { passed, failed: Math.max(number('failures'), isGood ? 0 : 1) }
  })
}

async function withFile<T>(name: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'nsmesh-test-'))
  try {
    return await use(join(folder, name))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
