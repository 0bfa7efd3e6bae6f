/** Shell completion. The shell calls nsmctl itself, which knows all commands and can look up names in the mesh. */
import { Argument, type Command } from 'commander'
import type { Context, Register } from './context.ts'
import { RESOURCES, resourceNamed } from './resources.ts'

const BASH = `_nsmctl() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(nsmctl __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _nsmctl nsmctl`

const ZSH = `#compdef nsmctl
_nsmctl() {
  local -a candidates
  candidates=(\${(f)"$(nsmctl __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  compadd -a candidates
}
compdef _nsmctl nsmctl`

export const registerCompletion: Register = (program, context) => {
  program
    .command('completion')
    .description('print the completion script for a shell, to be sourced by its startup file')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
    .action((shell: string) => context.terminal.print(shell === 'bash' ? BASH : ZSH))
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[]) => {
      const candidates = await complete(program, context, words)
      context.terminal.print(candidates.filter((word) => word.startsWith(words.at(-1) ?? '')).join('\n'))
    })
}

/** @param words the words after `nsmctl`; the last one may be incomplete */
async function complete(program: Command, context: Context, words: readonly string[]): Promise<readonly string[]> {
  const finished = words.slice(0, -1)
  const [verb = '', kind = ''] = finished
  if (verb === 'get' && finished.length === 1) return RESOURCES.flatMap((resource) => resource.words.slice(0, 1))
  if (verb === 'describe' && finished.length === 1) return RESOURCES.flatMap((resource) => resource.words.slice(1, 2))
  if (verb === 'describe' && finished.length === 2) return names(context, kind)
  if (verb === 'close' && finished.length === 1) return names(context, 'wire')
  const command = finished.reduce((found, word) => found.commands.find((sub) => sub.name() === word) ?? found, program)
  const isOption = words.at(-1)?.startsWith('-') === true
  if (isOption) return command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))
  return command.commands.map((sub) => sub.name()).filter((name) => !name.startsWith('_'))
}

async function names(context: Context, kind: string): Promise<readonly string[]> {
  return (await resourceNamed(kind)?.list(context))?.names ?? []
}
