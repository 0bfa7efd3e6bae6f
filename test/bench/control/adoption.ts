/** A restart of nsmd with many wires standing: until it serves again, and what the wires lost meanwhile. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { until } from '../../lab/until.ts'
import type { LoadClient } from './load-client.ts'
import type { Found } from './wires.ts'
import { FAR, NEAR, type World } from './world.ts'

const PING_SECONDS = '0.01'

/** The clients' first wires are to stand; two more carry packets. */
export async function measureAdoption(
  { lab, west }: World,
  [client, count]: readonly [LoadClient, number],
  found: Found,
): Promise<void> {
  const pings: Ping[] = []
  for (const service of [NEAR, FAR]) {
    const link = `w${client.standing}`
    await client.open(service, 1)
    pings.push(await Ping.start(client, link, `${lab.directory}/ping-${count}-${link}.log`))
  }
  const startMs = performance.now()
  const { restarts } = west.nsmd
  west.nsmd.kill()
  await until('nsmd to restart', async () => west.nsmd.restarts > restarts)
  await servesAgain(client)
  found(`adoption_s_${count}`, (performance.now() - startMs) / 1_000)
  found(`adoption_cpu_s_${count}`, cpuSecondsOf(west.nsmd.pid))
  const lost = await Promise.all(pings.map((ping) => ping.lost()))
  found(
    `adoption_lost_${count}`,
    lost.reduce((sum, each) => sum + each, 0),
  )
}

async function servesAgain(client: LoadClient): Promise<void> {
  for (;;) {
    try {
      await client.openAndClose(NEAR, 1)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Packets over a wire, 100 a second, until it is asked how many got lost. */
class Ping {
  readonly #child: ChildProcess
  readonly #log: string

  private constructor(child: ChildProcess, log: string) {
    this.#child = child
    this.#log = log
  }

  static async start({ workload: { host } }: LoadClient, link: string, log: string): Promise<Ping> {
    const [route] = JSON.parse(await host.run(['ip', '-json', 'route', 'show', 'dev', link]))
    const child = host.start(['ping', '-i', PING_SECONDS, '-I', link, route.dst], log)
    return new Ping(child, log)
  }

  async lost(): Promise<number> {
    this.#child.kill('SIGINT')
    await once(this.#child, 'exit')
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(readFileSync(this.#log, 'utf8')) ?? []
    return Number(sent) - Number(received)
  }
}
