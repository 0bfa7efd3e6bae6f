/**
 * Reads the YAML of a policy file node by node, so that every mistake has its line and column. JSON is YAML as well.
 * Anchors and tags are refused: a policy needs neither, and a few lines of nested aliases are gigabytes.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from 'yaml'
import type { Mistakes, Place } from './mistakes.ts'

export interface SourceText {
  /** As it is shown to people. */
  readonly path: string
  readonly text: string
}

export class YamlReader {
  readonly #source: SourceText
  readonly #lines = new LineCounter()
  readonly #mistakes: Mistakes

  constructor(source: SourceText, mistakes: Mistakes) {
    this.#source = source
    this.#mistakes = mistakes
  }

  /** The entries of the document, which must be a map; undefined where it is broken. */
  open(keys: readonly string[]): ReadonlyMap<string, Node> | undefined {
    const { text } = this.#source
    const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true, schema: 'core' } as const
    const document = parseDocument(text, { ...options, version: '1.2', merge: false, logLevel: 'silent' })
    for (const { pos, message } of [...document.errors, ...document.warnings])
      this.#add(pos[0], `is not YAML: ${message}`)
    if (document.errors.length > 0) return undefined
    if (document.contents !== null) return this.map(document.contents, keys)
    this.#add(0, 'is empty; a policy without rules is written as "rules: []"')
    return undefined
  }

  mistake(node: Node, text: string): void {
    this.#add(node.range?.[0] ?? 0, text)
  }

  /** A mistake within a text, `offset` characters after its beginning. */
  mistakeWithin(node: Node, offset: number, text: string): void {
    this.#add(this.#offsetWithin(node, offset), text)
  }

  place(node: Node): Place {
    return this.#placeOf(node.range?.[0] ?? 0)
  }

  map(node: Node, keys: readonly string[]): ReadonlyMap<string, Node> | undefined {
    if (!isMap(node)) return this.#refuse(node, 'must be a map of keys to values')
    if (this.#isDecorated(node)) return undefined
    const entries = new Map<string, Node>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      if (isScalar(key) && !keys.includes(name))
        this.mistake(key, `has an unknown key ${name}; it takes ${keys.join(', ')}`)
      else if (isNode(value)) entries.set(name, value)
    }
    return entries
  }

  /** A map from text to text, with any keys. */
  texts(node: Node): Readonly<Record<string, string>> {
    if (!isMap(node)) return this.#refuse(node, 'must be a map of texts') ?? {}
    const entries = node.items.flatMap(({ key, value }) =>
      isScalar(key) && isNode(value) ? [[String(key.value), this.text(value) ?? ''] as const] : [],
    )
    return Object.fromEntries(entries)
  }

  list(node: Node): readonly Node[] {
    if (!isSeq(node)) return this.#refuse(node, 'must be a list') ?? []
    return this.#isDecorated(node) ? [] : node.items.filter(isNode)
  }

  text(node: Node): string | undefined {
    if (isScalar(node) && typeof node.value === 'string') return this.#isDecorated(node) ? undefined : node.value
    return this.#refuse(node, 'must be a text; put it in quotes')
  }

  flag(node: Node): boolean | undefined {
    if (isScalar(node) && typeof node.value === 'boolean') return node.value
    return this.#refuse(node, 'must be true or false')
  }

  choice<T extends string>(node: Node, choices: readonly T[]): T | undefined {
    const text = this.text(node)
    const chosen = choices.find((choice) => choice === text)
    if (chosen !== undefined || text === undefined) return chosen
    return this.#refuse(node, `must be one of ${choices.join(', ')}, and is ${JSON.stringify(text)}`)
  }

  #refuse(node: Node, text: string): undefined {
    this.mistake(node, isAlias(node) ? 'must not be an alias; write it out' : text)
    return undefined
  }

  #isDecorated(node: Node): boolean {
    const isDecorated = ('anchor' in node && node.anchor !== undefined) || node.tag !== undefined
    if (isDecorated) this.mistake(node, 'must have no anchor and no tag')
    return isDecorated
  }

  #add(offset: number, text: string): void {
    this.#mistakes.add(this.#placeOf(offset), text)
  }

  #placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { path: this.#source.path, line: Math.max(1, line), column: Math.max(1, col) }
  }

  /** Where a character of a scalar's value is in the file; its beginning where YAML has folded or unescaped it. */
  #offsetWithin(node: Node, offset: number): number {
    const [start, end] = node.range ?? [0, 0]
    if (!isScalar(node) || typeof node.value !== 'string') return start
    const source = this.#source.text.slice(start, end)
    const quote = isQuoted(node) ? 1 : 0
    if (source.slice(quote, quote + node.value.length) === node.value) return start + quote + offset
    return start + (isBlock(node) ? offsetInBlock(source, offset) : 0)
  }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value)
}

function isQuoted({ type }: Scalar): boolean {
  return type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE'
}

function isBlock({ type }: Scalar): boolean {
  return type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED'
}

/** The value of a block scalar is its lines after the first, without their indentation. */
function offsetInBlock(source: string, offset: number): number {
  const [header = '', ...lines] = source.split('\n')
  const indent = /^ */.exec(lines.find((line) => line.trim() !== '') ?? '')?.[0].length ?? 0
  let before = header.length + 1
  let left = offset
  for (const line of lines) {
    const length = Math.max(0, line.length - indent)
    if (left <= length) return before + Math.min(indent, line.length) + left
    left -= length + 1
    before += line.length + 1
  }
  return 0
}
