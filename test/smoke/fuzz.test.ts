/** hack/fuzz, for a second. Its --replay is a suite of its own. */
import { expect, test } from 'vitest'
import { ROOT } from '../lab/programs.ts'
import { run, tryRun } from '../lab/shell.ts'

const FUZZ = `${ROOT}/hack/fuzz`
const FUZZ_MS = 600_000

test(
  'a target runs for as long as it is told',
  async () => {
    const [target = ''] = (await run([FUZZ, '--list'])).split('\n')
    const { code, stderr } = await tryRun([FUZZ, target, '1'], { timeoutMs: FUZZ_MS })
    expect(stderr).toMatch(/Done \d+ runs in [12] second/)
    expect(code).toBe(0)
  },
  FUZZ_MS,
)

test.each([
  [['nothing'], "no target 'nothing'"],
  [['gro', '0'], "'0' is not a number of seconds"],
  [['gro', '1.5'], "'1.5' is not a number of seconds"],
  [[], 'it needs a target'],
])('%j is refused', async (args, why) => {
  expect(await tryRun([FUZZ, ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining(why) })
})
