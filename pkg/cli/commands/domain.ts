/** Commands for the administrators of a domain, which work on the host of its registry. */
import { type Command, Option } from 'commander'
import { type domainV1, parseSpiffeId } from '../../api/index.ts'
import { NsmError } from '../../base/index.ts'
import { forClients } from '../../policy/index.ts'
import { type Format, renderList, renderObject } from '../output.ts'
import { domains } from '../view/lists.ts'
import { durationText, timestampMs } from '../view/times.ts'
import { type Context, durationArgument, formatOption, type Register } from './context.ts'

const INVITATION_LIFETIME_MS = 3_600_000

export const registerDomain: Register = (program, context) => {
  const domain = program.command('domain').description('join this domain with others, and share services with them')
  domain
    .command('invite')
    .description('create a one-time token that lets the domain with this name join this one')
    .argument('<domain>')
    .option('--lifetime <duration>', 'lifetime of the token', durationArgument, INVITATION_LIFETIME_MS)
    .action(async (name: string, { lifetime }: { lifetime: number }) => {
      printInvitation(context, await (await context.mesh.admin()).invite(name, lifetime))
    })
  domain
    .command('join')
    .description('join the domain that created the token')
    .argument('<token>', 'the token, or - to read it from standard input, where no list of processes shows it')
    .action(async (argument: string) => {
      const token = argument === '-' ? await readToken(context) : argument
      const joined = await (await context.mesh.admin()).join(token)
      context.terminal.print(
        `joined ${joined.name} (${joined.addresses.join(', ')}); to share a service with it, run: nsmctl domain export SERVICE ${joined.name}`,
      )
    })
  domain
    .command('list')
    .description('list the domains that this one has joined')
    .addOption(formatOption())
    .action(async ({ output }: { output: Format }) => listDomains(context, output))
  registerRevoke(domain, context)
  registerExports(domain, context)
}

/** What makes the token may have failed, and the shell ends only when this end of the pipe does. */
async function readToken({ terminal }: Context): Promise<string> {
  const token = (await terminal.read()).trim()
  if (token !== '') return token
  throw new NsmError('invalid_argument', 'Cannot join the domain: there is no token on standard input', {
    next: 'see what the other side said: nsmctl domain invite NAME',
  })
}

function registerRevoke(domain: Command, context: Context): void {
  domain
    .command('revoke')
    .description('stop trusting a domain; all wires to it are closed immediately')
    .argument('<domain>')
    .action(async (name: string) => {
      await (await context.mesh.admin()).revoke(name)
      context.terminal.print(`${name} revoked`)
    })
}

interface ExportOptions {
  readonly client?: readonly string[]
  readonly when?: string
}

/** Stands for every joined domain; unlike `*`, no shell expands it. */
const ALL_DOMAINS = 'all'

function registerExports(domain: Command, context: Context): void {
  domain
    .command('export')
    .description('allow another domain to find and request a network service of this one')
    .argument('<service>')
    .argument('<domain>', `the other domain, or ${ALL_DOMAINS} for every joined one`)
    .addOption(
      new Option('--client <id...>', 'SPIFFE ID of a workload there; without it, everybody there').conflicts('when'),
    )
    .option('--when <condition>', 'CEL condition that says for whom there, see docs/policy.md')
    .action(async (service: string, name: string, { client, when = '' }: ExportOptions) => {
      const condition = client === undefined ? when : forClients(client.map((id) => parseSpiffeId(id).id))
      await (await context.mesh.admin()).export(service, name === ALL_DOMAINS ? '*' : name, condition)
      context.terminal.print(`${service} exported to ${name}${condition === '' ? '' : `, when ${condition}`}`)
    })
  domain
    .command('unexport')
    .description('revoke an export; wires that depend on it are closed immediately')
    .argument('<service>')
    .argument('<domain>', `the domain of the export, or ${ALL_DOMAINS} for the export to every joined one`)
    .action(async (service: string, name: string) => {
      await (await context.mesh.admin()).unexport(service, name === ALL_DOMAINS ? '*' : name)
      context.terminal.print(`${service} no longer exported to ${name}`)
    })
}

export const registerNode: Register = (program, context) => {
  const node = program.command('node').description('admit nodes to this domain, and revoke them')
  node
    .command('invite')
    .description('create a one-time token that lets a node with this name join')
    .argument('<name>')
    .option('--lifetime <duration>', 'lifetime of the token', durationArgument, INVITATION_LIFETIME_MS)
    .action(async (name: string, { lifetime }: { lifetime: number }) => {
      printInvitation(context, await (await context.mesh.admin()).inviteNode(name, lifetime))
    })
  node
    .command('revoke')
    .description('revoke the identity of a node; the domain no longer trusts or serves it')
    .argument('<name>')
    .action(async (name: string) => {
      await (await context.mesh.admin()).revokeNode(name)
      context.terminal.print(`${name} revoked`)
    })
}

/** Prints only the token, so that it can be piped to the other side. */
function printInvitation({ terminal }: Context, { token }: domainV1.Invitation): void {
  terminal.print(token)
}

async function listDomains({ mesh, terminal, clock }: Context, output: Format): Promise<void> {
  const list = await (await mesh.admin()).domains()
  const nowMs = clock.nowMs()
  terminal.print(
    output === 'json' || output === 'yaml'
      ? renderObject(list, output)
      : renderList(list.domains, domains({ nowMs }), output),
  )
  const youngest = Math.min(...list.domains.map(({ joined }) => nowMs - (timestampMs(joined) ?? 0)))
  if (output === 'wide' && list.domains.length > 0)
    terminal.print(`the latest one joined ${durationText(youngest)} ago`)
}
