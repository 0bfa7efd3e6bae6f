/** Runs the test suites one after the other, and ends with how long each took and one line that counts them all. */
import { parseArgs } from 'node:util'
import { Builds } from './suites/builds.ts'
import { add, type Count, NONE } from './suites/run.ts'
import { SUITES, type Suite } from './suites/suites.ts'

const names = SUITES.map(({ name }) => name)
const { values, positionals } = parseArgs({ options: { list: { type: 'boolean' } }, allowPositionals: true })
if (values.list === true) {
  console.log(names.join('\n'))
  process.exit(0)
}
const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`hack/test: no suite ${unknown.join(', ')}; there are ${names.join(', ')}`)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const chosen = SUITES.filter(({ name, isOnRequest = false }) =>
  positionals.length === 0 ? !isOnRequest : positionals.includes(name),
)
const builds = new Builds([...new Set(chosen.flatMap(({ needs }) => needs))])
const lines: string[] = []
let total = NONE
for (const suite of chosen) {
  console.log(`\n== ${suite.name}`)
  const startMs = performance.now()
  const count = await runOne(suite)
  const seconds = Math.round((performance.now() - startMs) / 1_000)
  const line = `${suite.name}: ${count.passed} passed, ${count.failed} failed in ${seconds} s`
  console.log(`== ${line}`)
  lines.push(line)
  total = add(total, count)
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)

async function runOne({ needs, run }: Suite): Promise<Count> {
  for (const name of needs) if (!(await builds.done(name))) return { passed: 0, failed: 1 }
  return run(builds)
}
