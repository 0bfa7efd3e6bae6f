import type { Connection } from '../../api/index.ts'
import { silentLogger } from '../../base/index.ts'
import { KeptWire, parseNsmUrl } from '../../client/index.ts'
import type { Context, Register } from './context.ts'
import { durationArgument } from './context.ts'

interface Options {
  readonly name: string
  readonly timeout: number
}

export const registerRequest: Register = (program, context) => {
  program
    .command('request')
    .description('request a network service from this host, keep the wire until Ctrl-C, then close it')
    .argument('<url>', 'kernel://service[@domain]/interface[?label=value]')
    .option('--name <name>', 'name of the client in the path', 'nsmctl')
    .option('--timeout <duration>', 'time limit of the request', durationArgument, 15_000)
    .action(async (url: string, options: Options) => request(context, url, options))
}

export const registerClose: Register = (program, context) => {
  program
    .command('close')
    .description('close a wire of this node, no matter who requested it')
    .argument('<id>', 'id of the wire, as shown by `nsmctl get wires`')
    .action(async (id: string) => {
      await (await context.mesh.node()).closeWire(id)
      context.terminal.print(`wire ${id} closed`)
    })
}

async function request({ mesh, terminal, clock }: Context, url: string, { name, timeout }: Options): Promise<void> {
  const { networkServices, monitor } = await mesh.node()
  const wanted = { client: name, id: `${name}-${crypto.randomUUID()}`, url: parseNsmUrl(url), labels: {} }
  let isUp = false
  const wire = KeptWire.open(wanted, {
    services: networkServices,
    monitor,
    clock,
    logger: silentLogger,
    requestTimeoutMs: timeout,
    isRetried: () => isUp,
  })
  try {
    const connection = await wire.up
    isUp = true
    terminal.print(upText(connection))
    await Promise.race([wire.ended, interrupted(terminal.signal)])
  } finally {
    await wire.close()
  }
}

function upText({ id, mechanism, context, path }: Connection): string {
  const name = mechanism?.parameters['name'] ?? ''
  const { srcIpAddrs, dstIpAddrs } = context.ip
  const names = path.segments.map((segment) => segment.name).join(' > ')
  return `${name} is up: ${srcIpAddrs.join(', ')} to ${dstIpAddrs.join(', ')} (${names}); connection ${id}; press Ctrl-C to close it`
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
