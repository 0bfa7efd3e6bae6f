import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const RUN_PROGRAM = new URL('./run-program.ts', import.meta.url).href

/** Runs a program whose `start` has this body, and returns what it wrote to its log, and how it ended. */
function run(start: string) {
  const script = `
    const { runProgram } = await import('${RUN_PROGRAM}')
    const config = { read: () => ({ logLevel: 'info' }), help: '' }
    await runProgram({ name: 'faulty', config, async start(_, { faults }) { ${start} } })`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { log: `${stdout}${stderr}`, status }
}

it('a fault in a timer, an event handler or a forgotten promise is told and does not end a program', () => {
  const { log, status } = run(`
    setTimeout(() => { throw new Error('of a timer') }, 10)
    process.on('of-nobody', () => { throw new Error('of a handler') })
    setTimeout(() => process.emit('of-nobody'), 20)
    setTimeout(() => void Promise.reject(new Error('of a promise')), 30)
    setTimeout(() => { console.log(faults.problem); process.kill(process.pid, 'SIGTERM') }, 200)
    return { close: async () => {} }`)
  for (const fault of ['of a timer', 'of a handler', 'of a promise']) expect(log).toContain(fault)
  expect(log).toContain('3 faults of the program since its start')
  expect(status).toBe(0)
})

it('a program that cannot start says why and ends', () => {
  const { log, status } = run(`throw new Error('no way')`)
  expect(log).toContain('faulty: no way')
  expect(status).toBe(1)
})
