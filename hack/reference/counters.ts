/** Every counter of the dataplane with what it counts, from the enumerations that count them. */
import { readFileSync } from 'node:fs'
import { code, heading, table } from './markdown.ts'

interface Group {
  readonly title: string
  readonly about: string
  readonly file: string
  readonly enumeration: string
  /** Before each name, as `nsmctl` shows it. */
  readonly prefix: string
}

const GROUPS: readonly Group[] = [
  {
    title: 'What came in',
    about: 'Of each port, and of the engine for what belongs to no port.',
    file: 'pipeline/counters.h',
    enumeration: 'Rx',
    prefix: 'rx_',
  },
  { title: 'What went out', about: 'Of each port.', file: 'pipeline/counters.h', enumeration: 'Tx', prefix: 'tx_' },
  {
    title: 'Handshakes',
    about: 'Of the engine: what became of each handshake message that it received.',
    file: 'core/handled.h',
    enumeration: 'Handled',
    prefix: 'handshake_',
  },
  {
    title: 'The holder',
    about: 'What the holder served, refused and dropped.',
    file: 'holder/counters.h',
    enumeration: 'Count',
    prefix: '',
  },
]

export function countersReference(root: string): string {
  const groups = GROUPS.map(({ title, about, file, enumeration, prefix }) => {
    const counters = enumerators(readFileSync(`${root}/pkg/dataplane/native/${file}`, 'utf8'), enumeration)
    const rows = counters.map(({ name, about }) => [code(prefix + snakeCase(name)), about])
    return `${heading(2, title)}${about}\n\n${table(['counter', 'counts'], rows)}`
  })
  return heading(1, 'Counters of the dataplane') + groups.join('')
}

/** `kBadMac1` is shown as `bad_mac1`. */
function snakeCase(name: string): string {
  const words = name.replace(/^k(?=[A-Z])/, '').replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
  return words.toLowerCase()
}

interface Enumerator {
  readonly name: string
  readonly about: string
}

/** Lines of the form `name,  // what it counts`. @throws for a counter that says nothing of itself */
export function enumerators(source: string, enumeration: string): readonly Enumerator[] {
  const body = new RegExp(`enum class ${enumeration} : [^{]*\\{([^}]*)\\}`).exec(source)?.[1]
  if (body === undefined) throw new Error(`no enumeration ${enumeration}`)
  const found = [...body.matchAll(/^\s*(\w+),?[ \t]*(?:\/\/ (.*))?$/gm)]
  return found
    .map(([, name = '', about = '']) => ({ name, about }))
    .filter(({ name }) => name !== 'count')
    .map((each) => {
      if (each.about !== '') return each
      throw new Error(`the counter ${each.name} of ${enumeration} has no comment that says what it counts`)
    })
}
