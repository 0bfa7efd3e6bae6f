/** For the people who run a domain: they work on the host of its registry. */
import type { Command } from 'commander'
import type { domainV1 } from '../../api/index.ts'
import { timestampMs } from '../json.ts'
import { type Format, renderList, renderObject } from '../output.ts'
import { durationText } from '../view/durations.ts'
import { domains } from '../view/lists.ts'
import { type Context, durationArgument, formatOption, type Register } from './context.ts'

const INVITATION_LIFETIME_MS = 3_600_000

export const registerDomain: Register = (program, context) => {
  const domain = program.command('domain').description('join this domain with others')
  domain
    .command('invite')
    .description('make a one-time token with which another domain joins this one')
    .option('--lifetime <duration>', 'of the token', durationArgument, INVITATION_LIFETIME_MS)
    .action(async ({ lifetime }: { lifetime: number }) => {
      printInvitation(context, await (await context.mesh.admin()).invite(lifetime))
    })
  domain
    .command('join')
    .description('join the domain that made the token')
    .argument('<token>')
    .action(async (token: string) => {
      const joined = await (await context.mesh.admin()).join(token)
      context.terminal.print(
        `joined with ${joined.name} (${joined.addresses.join(', ')}); to share a service with it: nsmctl domain export SERVICE ${joined.name}`,
      )
    })
  domain
    .command('list')
    .description('domains that this one is joined with')
    .addOption(formatOption())
    .action(async ({ output }: { output: Format }) => listDomains(context, output))
  registerRevoke(domain, context)
  registerExports(domain, context)
}

function registerRevoke(domain: Command, context: Context): void {
  domain
    .command('revoke')
    .description('trust a domain no more; its wires to here are closed at once')
    .argument('<domain>')
    .action(async (name: string) => {
      await (await context.mesh.admin()).revoke(name)
      context.terminal.print(`${name} revoked`)
    })
}

/** Every joined domain, in a word that no shell expands. */
const EVERYONE = 'all'

function registerExports(domain: Command, context: Context): void {
  domain
    .command('export')
    .description('let another domain find and request a network service of this one')
    .argument('<service>')
    .argument('<domain>', `which other domain; ${EVERYONE}: every joined one`)
    .action(async (service: string, name: string) => {
      await (await context.mesh.admin()).export(service, name === EVERYONE ? '*' : name)
      context.terminal.print(`${service} exported to ${name}`)
    })
  domain
    .command('unexport')
    .description('take an export back; wires that need it are closed at once')
    .argument('<service>')
    .argument('<domain>', `as it was exported; ${EVERYONE}: the export to every joined one`)
    .action(async (service: string, name: string) => {
      await (await context.mesh.admin()).unexport(service, name === EVERYONE ? '*' : name)
      context.terminal.print(`${service} no longer exported to ${name}`)
    })
}

export const registerNode: Register = (program, context) => {
  const node = program.command('node').description('let nodes into this domain, and expel them')
  node
    .command('invite')
    .description('make a one-time token with which a node of that name joins')
    .argument('<name>')
    .option('--lifetime <duration>', 'of the token', durationArgument, INVITATION_LIFETIME_MS)
    .action(async (name: string, { lifetime }: { lifetime: number }) => {
      printInvitation(context, await (await context.mesh.admin()).inviteNode(name, lifetime))
    })
  node
    .command('revoke')
    .description('expel a node: nobody of the domain serves or trusts it any more')
    .argument('<name>')
    .action(async (name: string) => {
      await (await context.mesh.admin()).revokeNode(name)
      context.terminal.print(`${name} revoked`)
    })
}

/** The token alone, so that it can be piped to the other side. */
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
  if (output === 'wide' && list.domains.length > 0) terminal.print(`the last one joined ${durationText(youngest)} ago`)
}
