import { list, text } from './parsers.ts'
import type { Parser } from './table.ts'

/** Reads `app:web,zone:a`, also with `=` instead of `:`. */
export const labels: Parser<Readonly<Record<string, string>>> = (value) => {
  const entries = list(text)(value).map((entry) => {
    const [, key = '', label = ''] = /^([^:=]+)[:=](.*)$/.exec(entry) ?? []
    if (key === '') throw new Error(`has the entry ${JSON.stringify(entry)}, which must be key:value`)
    return [key.trim(), label.trim()] as const
  })
  return Object.fromEntries(entries)
}
