/**
 * Commands for the authors of policies. `check` and `test` need only the files; `why` and `diff` ask the node, which
 * knows its policy, its wires and its exports.
 */
import { Argument, type Command, InvalidArgumentError } from 'commander'
import { readWholeFile } from '../../config/index.ts'
import { ACTIONS, type Action, checkPolicy, type SourceText } from '../../policy/index.ts'
import { EXIT } from '../exit-code.ts'
import { type Format, renderList, renderObject } from '../output.ts'
import { closedWires, policyTests, ruleFindings } from '../view/policy.ts'
import { type Context, formatOption, type Register } from './context.ts'

/** For files that are only checked: a test is decided in the domain that it names, or in that of its caller. */
const ANY_DOMAIN = 'any'

export const registerPolicy: Register = (program, context) => {
  const policy = program.command('policy').description('check policy files, and explain what a policy decides')
  policy
    .command('check')
    .description('find every mistake in policy files, and run their tests')
    .argument('<file...>')
    .action((paths: readonly string[]) => check(context, paths))
  policy
    .command('test')
    .description('run the tests in policy files, and show what each decides')
    .argument('<file...>')
    .addOption(formatOption())
    .action((paths: readonly string[], { output }: { output: Format }) => test(context, paths, output))
  registerWhy(policy, context)
  policy
    .command('diff')
    .description('show which wires of this node would be closed if these files were its policy; changes nothing')
    .argument('<file...>')
    .addOption(formatOption())
    .action((paths: readonly string[], { output }: { output: Format }) => diff(context, paths, output))
}

function registerWhy(policy: Command, context: Context): void {
  policy
    .command('why')
    .description('show how the policy of this node decides, and what each of its rules says')
    .addArgument(new Argument('<action>').choices(ACTIONS))
    .argument('<client>', 'the SPIFFE ID of who asks')
    .argument('[service]', 'the network service, or for administer the method')
    .option('--caller <id>', 'the SPIFFE ID of the node that asks for the client; without it the client itself')
    .option('--endpoint <name>', 'the endpoint', '')
    .option('--prefix <prefix>', 'for route, the prefix of the wire', '')
    .option('--label <key=value...>', 'labels that the client claims', collectLabel, new Map<string, string>())
    .addOption(formatOption())
    .action((action: Action, client: string, service: string | undefined, options: WhyOptions) =>
      why(context, { action, client, service: service ?? '' }, options),
    )
}

interface WhyOptions {
  readonly caller?: string
  readonly endpoint: string
  readonly prefix: string
  readonly label: ReadonlyMap<string, string>
  readonly output: Format
}

interface Asked {
  readonly action: Action
  readonly client: string
  readonly service: string
}

function check(context: Context, paths: readonly string[]): void {
  const { print } = context.terminal
  const { policy, mistakes, results } = checkPolicy(readAll(paths), ANY_DOMAIN)
  for (const mistake of mistakes) print(mistake)
  if (policy === undefined) context.exitCode = EXIT.failed
  else print(`the policy is in order: ${count(policy.rules.length, 'rule')}, ${count(results.length, 'test')} passed`)
}

function test(context: Context, paths: readonly string[], output: Format): void {
  const { print } = context.terminal
  const { mistakes, results } = checkPolicy(readAll(paths), ANY_DOMAIN)
  if (results.length === 0) for (const mistake of mistakes) print(mistake)
  if (mistakes.length === 0 || results.length > 0) print(renderList(results, policyTests, output))
  if (mistakes.length > 0) context.exitCode = EXIT.failed
}

async function why(
  { mesh, terminal }: Context,
  { action, client, service }: Asked,
  options: WhyOptions,
): Promise<void> {
  const { caller = client, endpoint, prefix, label, output } = options
  const asked = { networkService: service, endpoint, ...(action === 'route' && { prefix }) }
  const what = action === 'administer' ? { operation: service } : asked
  const answer = await (await mesh.node()).explainPolicy({ action, caller, client, labels: new Map(label), ...what })
  if (output === 'json' || output === 'yaml') return terminal.print(renderObject(answer, output))
  const { allowed, rule, reason } = answer
  terminal.print(`${allowed ? 'allowed' : 'denied'} by ${rule === '' ? 'default' : `the rule ${rule}`}: ${reason}`)
  if (answer.findings.length > 0) terminal.print(renderList(answer.findings, ruleFindings, output))
}

async function diff(context: Context, paths: readonly string[], output: Format): Promise<void> {
  const { mesh, terminal } = context
  const { closed, kept } = await (await mesh.node()).diffPolicy(readAll(paths))
  if (closed.length > 0) context.exitCode = EXIT.warnings
  if (output === 'json' || output === 'yaml') return terminal.print(renderList(closed, closedWires, output))
  if (closed.length > 0) terminal.print(renderList(closed, closedWires, output))
  terminal.print(`this policy would close ${count(closed.length, 'wire')} of this node and keep ${kept}`)
}

function readAll(paths: readonly string[]): readonly SourceText[] {
  return paths.map((path) => ({ path, text: readWholeFile(path) }))
}

function collectLabel(text: string, labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined || value === undefined) throw new InvalidArgumentError('must be key=value')
  return new Map([...labels, [key, value]])
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
