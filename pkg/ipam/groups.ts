import { NsmError } from '../base/index.ts'
import { overlaps, type Prefix, parsePrefix } from '../net/index.ts'

/**
 * Parses `172.16.1.100/31` or groups such as `[172.16.0.0/24,172.16.2.0/24],[fd00::/120]`. A connection gets a pair of
 * addresses from each group, namely from the first of its prefixes that has free ones. A prefix outside brackets is a
 * group of its own.
 *
 * @throws {NsmError} `invalid_argument`
 */
export function parseGroups(text: string): readonly (readonly Prefix[])[] {
  const parts = text.replaceAll(/\s/g, '').match(/\[[^[\]]*\]|[^,[\]]+|[[\]]/g) ?? []
  const groups = parts.map((part) => readGroup(part, text))
  if (groups.length === 0) throw bad(text, 'it is empty')
  const all = groups.flat()
  if (all.some((prefix, index) => all.slice(0, index).some((earlier) => overlaps(earlier, prefix)))) {
    throw bad(text, 'two prefixes overlap')
  }
  return groups
}

function readGroup(part: string, text: string): readonly Prefix[] {
  if (part === '[' || part === ']') throw bad(text, 'a bracket is not closed')
  const inner = part.startsWith('[') ? part.slice(1, -1) : part
  if (inner === '') throw bad(text, 'a group is empty')
  return inner.split(',').map(parsePrefix)
}

function bad(text: string, reason: string): NsmError {
  return new NsmError('invalid_argument', `Cannot parse the groups of prefixes: ${reason}`, {
    fields: { prefixes: text.slice(0, 256) },
    next: 'write one prefix, or groups such as [172.16.0.0/24],[fd00::/120]',
  })
}
