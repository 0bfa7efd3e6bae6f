import { Argument } from 'commander'
import { NsmError } from '../../base/index.ts'
import { EXIT } from '../exit-code.ts'
import { type Format, renderObject } from '../output.ts'
import { formatOption, type Register } from './context.ts'
import { RESOURCES, type Resource, resourceNamed } from './resources.ts'

const WORDS = RESOURCES.flatMap(({ words }) => words.slice(0, 1)).join(', ')

export const registerGet: Register = (program, context) => {
  program
    .command('get')
    .description(`list all objects of a kind: ${WORDS}`)
    .addArgument(new Argument('<kind>', RESOURCES.map(({ words, about }) => `${words[0]}: ${about}`).join('; ')))
    .addOption(formatOption())
    .action(async (kind: string, { output }: { output: Format }) => {
      const listing = await resourceOf(kind).list(context)
      context.terminal.print(listing.render(output))
      if (listing.hasProblem) context.exitCode = EXIT.warnings
    })
}

export const registerDescribe: Register = (program, context) => {
  program
    .command('describe')
    .description(`show all details of one object: ${WORDS}`)
    .argument('<kind>')
    .argument('<name>', 'name or id of the object, or a unique prefix of it')
    .addOption(formatOption())
    .action(async (kind: string, name: string, { output }: { output: Format }) => {
      const resource = resourceOf(kind)
      const found = (await resource.list(context)).named(name)
      context.terminal.print(renderObject(onlyOne(found, resource, name), output))
    })
}

function resourceOf(kind: string): Resource {
  const resource = resourceNamed(kind)
  if (resource !== undefined) return resource
  throw new NsmError('invalid_argument', 'Cannot find the objects: their kind is unknown', {
    fields: { kind },
    next: `use one of ${WORDS}`,
  })
}

function onlyOne(found: readonly unknown[], { words }: Resource, name: string): unknown {
  const [one, ...others] = found
  if (one === undefined) {
    throw new NsmError('not_found', 'Cannot describe the object: there is none with this name', {
      fields: { kind: words[1], name },
      next: `list them with: nsmctl get ${words[0]}`,
    })
  }
  if (others.length === 0) return one
  throw new NsmError('invalid_argument', 'Cannot describe the object: the prefix is ambiguous', {
    fields: { prefix: name, matches: found.length },
    next: 'give more characters of the name',
  })
}
