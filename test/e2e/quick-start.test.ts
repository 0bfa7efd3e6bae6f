/**
 * docs/quick-start.md, word by word: each block of commands runs in a shell of the machine that it is for. A machine is
 * a network namespace with its own /run, /var/lib, home and processes.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Lab } from '../lab/lab.ts'
import { ROOT } from '../lab/programs.ts'
import { type Piped, stop } from '../lab/shell.ts'

const MACHINES = { east: { number: 20, written: '198.51.100.20' }, west: { number: 10, written: '198.51.100.10' } }
const BLOCK_MS = 120_000

/** Debian's package database is the machine's own; all else below /run and /var/lib is new. */
const OWN_FOLDERS = `
  mount -t tmpfs tmpfs /run && mkdir /run/dpkg && mount --bind /var/lib/dpkg /run/dpkg
  mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/dpkg && mount --move /run/dpkg /var/lib/dpkg
  mkdir /run/home && cd '${ROOT}' && exec bash -e`

interface Block {
  readonly machines: readonly string[]
  readonly commands: string
}

class Machine {
  readonly #shell: Piped
  #output = ''

  constructor(shell: Piped) {
    this.#shell = shell
    shell.stdout.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
  }

  /** Runs the commands and gives what they printed. @throws {Error} with that, when one fails */
  async run(commands: string): Promise<string> {
    this.#output = ''
    this.#shell.stdin.write(`${commands}\necho; echo 'block done'\n`)
    const deadlineMs = performance.now() + BLOCK_MS
    while (!this.#output.includes('block done')) {
      const isOver = this.#shell.exitCode !== null || performance.now() > deadlineMs
      if (isOver) throw new Error(`a command of this block failed:\n${commands}\n${this.#output}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return this.#output
  }

  close(): Promise<void> {
    return stop(this.#shell)
  }
}

let lab: Lab
const machines = new Map<string, Machine>()
let text = readFileSync(`${ROOT}/docs/quick-start.md`, 'utf8')

beforeAll(async () => {
  lab = await Lab.create()
  for (const [name, { number, written }] of Object.entries(MACHINES)) {
    const { host, address } = await lab.publicHost(name, number)
    const own = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-ec', OWN_FOLDERS]
    const env = { HOME: '/run/home' }
    machines.set(name, new Machine(host.pipe(own, { env })))
    text = text.replaceAll(written, address)
  }
})

afterAll(async () => {
  for (const machine of machines.values()) await machine.close()
  await lab.close()
})

test('the quick start ends with a file of east on west', { timeout: 10 * 60_000 }, async () => {
  const printed: Record<string, string> = {}
  for (const { machines: names, commands } of blocks(text)) {
    for (const name of names) {
      const machine = machines.get(name)
      if (machine === undefined) throw new Error(`the block is for ${name}, and there is no such machine`)
      printed[name] = (printed[name] ?? '') + (await machine.run(commands))
    }
    await copyToken()
  }
  expect(printed['west']).toContain('hello from east')
  expect(printed['west']).toMatch(/files@east.*\bup\b/)
})

/** A block without a machine is not for running, such as the one that gets the source. */
function blocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```sh (\w+)\n([\s\S]*?)^```$/gm)].map(([, machine = '', commands = '']) => ({
    machines: machine === 'both' ? Object.keys(MACHINES) : [machine],
    commands,
  }))
}

/** What the reader does by hand. */
async function copyToken(): Promise<void> {
  const token = await machines.get('east')?.run('cat ~/join-token 2>/dev/null || true')
  const [line = ''] = (token ?? '').split('\n')
  if (line !== '') await machines.get('west')?.run(`echo '${line}' > ~/join-token`)
}
