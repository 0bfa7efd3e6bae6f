/** Every variable and option of every program, from the tables that the programs read them by. */
import { readFileSync } from 'node:fs'
import {
  type Config,
  gateConfig,
  nsmClientConfig,
  nsmctlConfig,
  nsmdConfig,
  nsmEndpointConfig,
  registryConfig,
} from '../../pkg/config/index.ts'
import { code, heading, table } from './markdown.ts'

const PROGRAMS: Readonly<Record<string, Pick<Config<unknown>, 'about' | 'variables'>>> = {
  nsmd: nsmdConfig,
  'nsm-gate': gateConfig,
  'nsm-registry': registryConfig,
  'nsm-client': nsmClientConfig,
  'nsm-endpoint': nsmEndpointConfig,
  nsmctl: nsmctlConfig,
}

/** @param options the source of the holder's options, `native/holder/options.cc` */
export function configurationReference(options: string): string {
  const programs = Object.entries(PROGRAMS).map(([name, config]) => heading(2, name) + variables(config))
  return heading(1, 'Configuration') + programs.join('') + heading(2, 'nsm-dataplane hold') + optionTable(options)
}

export function readOptions(root: string): string {
  return readFileSync(`${root}/pkg/dataplane/native/holder/options.cc`, 'utf8')
}

function variables({ variables }: Pick<Config<unknown>, 'variables'>): string {
  const rows = variables.map(({ env, help, fallback, isRequired }) => {
    const byDefault = isRequired ? '(required)' : fallback === undefined || fallback === '' ? '' : code(fallback)
    return [code(env), byDefault, help]
  })
  return table(['variable', 'default', 'what it is'], rows)
}

/** Rows of the form `{"--name", "ARGUMENT", "help", …}`, in which a help text may be several literals. */
function optionTable(source: string): string {
  const rows = [...source.matchAll(/\{"(--[a-z-]+)", "([A-Z=]*)",((?:\s*"(?:[^"\\]|\\.)*")+),/g)].map(
    ([, name = '', argument = '', help = '']) => {
      const text = [...help.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, part = '']) => part).join('')
      return [code(`${name} ${argument}`.trim()), text]
    },
  )
  if (rows.length === 0) throw new Error('no option found in options.cc: does its table still look as it did?')
  return table(['option', 'what it is'], rows)
}
