/** Renders results in the requested format: tables for people, JSON and YAML for programs. */
import { stringify } from 'yaml'
import { toPrintable } from '../base/index.ts'
import { type JsonValue, toJson } from './json.ts'

export const FORMATS = ['table', 'wide', 'json', 'yaml'] as const
export type Format = (typeof FORMATS)[number]

export interface Column<T> {
  readonly title: string
  readonly text: (row: T) => string
  /** Whether the column is shown only with `-o wide`. */
  readonly isWide?: true
}

export interface View<T> {
  /** The plural of the objects, for messages such as "No wires." */
  readonly plural: string
  readonly columns: readonly Column<T>[]
}

export function renderList<T>(rows: readonly T[], view: View<T>, format: Format): string {
  if (format === 'json') return JSON.stringify(toJson(rows), null, 2)
  if (format === 'yaml') return stringify(toJson(rows)).trimEnd()
  if (rows.length === 0) return `No ${view.plural}.`
  const columns = view.columns.filter(({ isWide }) => format === 'wide' || isWide === undefined)
  return table([columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => text(row) || '-'))])
}

/** Renders all details of one object. People get YAML, too, but without fields that are empty or zero. */
export function renderObject(value: unknown, format: Format): string {
  if (format === 'json') return JSON.stringify(toJson(value), null, 2)
  return stringify(format === 'yaml' ? toJson(value) : withoutEmpty(toJson(value))).trimEnd()
}

function withoutEmpty(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object' || isList(value)) return value
  const entries = Object.entries(value).map(([key, entry]) => [key, withoutEmpty(entry)] as const)
  return Object.fromEntries(entries.filter(([, entry]) => !isEmpty(entry)))
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === '' || value === 0) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** A cell is one line, whatever is in it. Aligns columns to their widest cell, separated by two spaces, without trailing spaces. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((row) => row.map(toPrintable))
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
