/** hack/demo as a person uses it: what it offers to try works, and Ctrl-C removes everything. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../lab/programs.ts'
import { run, start, stop, tryRun } from '../lab/shell.ts'
import { until } from '../lab/until.ts'

const DEMO_MS = 180_000

test(
  'the demo stays up, and every line that it offers can be pasted',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nsmesh-demo-'))
    const log = join(folder, 'log')
    const demo = start([`${ROOT}/hack/demo`], log)
    try {
      const isUp = () => {
        const said = readFileSync(log, 'utf8')
        if (said.includes('==> failed')) throw new Error(said)
        return said.includes('Ctrl-C ends it')
      }
      await until('the demo to be up', isUp, DEMO_MS)
      const said = readFileSync(log, 'utf8')
      const line = (pattern: RegExp): string => pattern.exec(said)?.[0] ?? `the demo does not offer ${pattern}`
      const [environment, list] = [
        line(/export NSM_CONNECT_TO=.*/),
        line(/ip netns exec \S+ \S*hack\/nsmctl get wires -o wide/),
      ]
      const [ping, kill] = [line(/ip netns exec \S+ ping \S+/), line(/kill -9 [\d ]+/)]
      const paste = (...lines: readonly string[]) => tryRun(['bash', '-ec', lines.join('\n')])
      expect(await paste(environment, list)).toMatchObject({ code: 0, stdout: expect.stringContaining('files@east') })
      expect(await paste(kill)).toMatchObject({ code: 0 })
      expect(await paste(`${ping} -c 20 -i 0.05 -W 2`)).toMatchObject({
        stdout: expect.stringContaining(' 0% packet loss'),
      })
      const device = line(/ip -n \S+ link del nsm-1/)
      const shown = `${device.replace('link del', 'link show')}`
      expect(await paste(device)).toMatchObject({ code: 0 })
      await until('the interface to be back', async () => (await paste(shown)).code === 0)
    } finally {
      await stop(demo, 'SIGINT', 30_000)
      rmSync(folder, { recursive: true })
    }
    expect(demo.exitCode).toBe(0)
    expect(await run(['ip', 'netns', 'list'])).not.toContain(`nsm${demo.pid?.toString(36)}-`)
    expect(existsSync(`/run/nsmesh-lab-${demo.pid}-1`)).toBe(false)
  },
  2 * DEMO_MS,
)
