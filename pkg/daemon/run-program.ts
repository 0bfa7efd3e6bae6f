/**
 * What all programs have in common: they read the configuration, start, run until a signal, close, and report by the
 * exit code: 0 is a clean end, 1 a failure, 2 a mistake in the configuration or the arguments.
 */
import {
  describeError,
  Faults,
  type Logger,
  limitedLogger,
  NsmError,
  nextStep,
  type Runtime,
  systemClock,
  VERSION,
} from '../base/index.ts'
import type { Config, LogLevel } from '../config/index.ts'
import { jsonLogger } from '../telemetry/index.ts'

/** Of each kind of line. The last resort for a log that others can make grow; most such lines have a stricter limit. */
const LOG_BURST = 100

export interface Program<C extends { readonly logLevel: LogLevel }> {
  readonly name: string
  readonly config: Config<C>
  start(config: C, runtime: Runtime): Promise<{ close(): Promise<void> }>
}

export async function runProgram<C extends { readonly logLevel: LogLevel }>(program: Program<C>): Promise<void> {
  const { name, config } = program
  const [argument] = process.argv.slice(2)
  if (argument !== undefined) return answer(program, argument)
  // We exit instead of waiting for an idle event loop: a forgotten handle must not keep a daemon from ending.
  try {
    const values = config.read()
    const sink = jsonLogger({ program: name, level: values.logLevel })
    const logger = limitedLogger(sink, { clock: systemClock, burst: LOG_BURST })
    await run(program, values, logger)
    logger.close()
    process.exit(0)
  } catch (error) {
    const next = nextStep(error)
    process.stderr.write(`${name}: ${describeError(error)}${next === undefined ? '' : `\nNext: ${next}`}\n`)
    process.exit(error instanceof NsmError && error.code === 'invalid_argument' ? 2 : 1)
  }
}

async function run<C extends { readonly logLevel: LogLevel }>(
  { start }: Program<C>,
  config: C,
  logger: Logger,
): Promise<void> {
  const stop = new AbortController()
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(1) // asked twice: somebody is in a hurry
      stop.abort(new NsmError('cancelled', 'Cannot go on: the program was told to end', { fields: { signal } }))
    })
  }
  const faults = new Faults({ clock: systemClock, logger })
  process.on('uncaughtException', (error) => faults.report(error))
  const running = await start(config, { clock: systemClock, logger, signal: stop.signal, faults })
  logger.info('Started', { version: VERSION })
  await stopped
  await running.close()
  logger.info('Ended')
}

function answer<C>({ name, config }: { readonly name: string; readonly config: Config<C> }, argument: string): void {
  if (argument === '--help') process.stdout.write(config.help)
  else if (argument === '--version') process.stdout.write(`${name} ${VERSION}\n`)
  else {
    process.stderr.write(`${name}: it takes no arguments but --help and --version\n`)
    process.exitCode = 2
  }
}
