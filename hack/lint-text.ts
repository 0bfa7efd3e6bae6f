/**
 * The house rules of texts as a program. Errors have one spelling, "Cannot <verb> the <thing>: <reason>"; hints and log
 * messages have one each. Prints each breach as file:line with what is expected; exits with 1 when there is one.
 */
import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

/** Files whose texts nobody reads: tests and generated code. */
const UNCHECKED = /\.test\.ts$|\/testing\/|\/gen\/|node_modules|\/build/

export interface Breach {
  readonly line: number
  readonly message: string
}

/** A text of the source: a string, or a template in which each substitution is {@link HOLE}. */
interface Text {
  readonly node: ts.Node
  readonly text: string
}

const HOLE = '\u2026'
const PROPER_NAMES = ['Ethernet', 'Kubernetes', 'Linux', 'Node', 'WireGuard']
const CAPITAL_REASON = new RegExp(`: (?!(?:${PROPER_NAMES.join('|')})\\b)[A-Z][a-z]`)
const LOG_METHODS: ReadonlySet<string> = new Set(['debug', 'info', 'warn', 'error'])

/** The breaches in one source file, in their order. */
export function lintText(source: string): readonly Breach[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true)
  const breaches: Breach[] = []
  const check = ({ node, text }: Text, rule: (text: string) => string | undefined): void => {
    const message = rule(text)
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
    if (message !== undefined) breaches.push({ line, message: `${message}: ${JSON.stringify(text)}` })
  }
  const visit = (node: ts.Node): void => {
    for (const text of errorTexts(node)) check(text, errorBreach)
    for (const text of hintTexts(node)) check(text, hintBreach)
    for (const text of logTexts(node)) check(text, logBreach)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return breaches
}

/** A text that begins with a substitution gets its beginning from elsewhere, where it is checked as well. */
function errorBreach(text: string): string | undefined {
  if (!/^(Cannot [a-z]|\u2026)/.test(text)) return 'an error must begin with "Cannot <verb>"'
  if (/[.!]$/.test(text)) return 'an error must end without a period'
  if (CAPITAL_REASON.test(text)) return 'the reason of an error must begin in lower case'
  return undefined
}

/** A hint may begin with a command in backquotes or with the name of a variable, such as NSM_DOMAIN. */
function hintBreach(text: string): string | undefined {
  if (text !== '' && !/^([a-z`\u2026]|[A-Z][A-Z0-9_]+\b)/.test(text)) return 'a hint must begin in lower case'
  if (/[.!]$/.test(text)) return 'a hint must end without a period'
  return undefined
}

function logBreach(text: string): string | undefined {
  if (!/^[A-Z]/.test(text)) return 'a log message must be constant and begin with a capital letter'
  if (/[.!]$/.test(text)) return 'a log message must end without a period'
  return undefined
}

/** The message of `new NsmError(code, message)`. */
function errorTexts(node: ts.Node): readonly Text[] {
  const isError = ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'NsmError'
  return isError ? textsOf(node.arguments?.[1]) : []
}

/** `next: '…'` in an object, and the value of a variable or parameter `next`. */
function hintTexts(node: ts.Node): readonly Text[] {
  const isNamed = ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node) || ts.isParameter(node)
  return isNamed && ts.isIdentifier(node.name) && node.name.text === 'next' ? textsOf(node.initializer) : []
}

/** The message of `logger.warn(message)`, whatever leads to the logger. */
function logTexts(node: ts.Node): readonly Text[] {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return []
  const { expression: receiver, name } = node.expression
  return /\blogger\b/.test(receiver.getText()) && LOG_METHODS.has(name.text) ? textsOf(node.arguments[0]) : []
}

/** The texts that an expression may have as its value, as far as they stand in it. */
function textsOf(node: ts.Expression | undefined): readonly Text[] {
  if (node === undefined) return []
  if (ts.isStringLiteralLike(node)) return [{ node, text: node.text }]
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)]
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression)
  if (!ts.isTemplateExpression(node)) return []
  const spans = node.templateSpans.map(({ literal }) => HOLE + literal.text)
  return [{ node, text: node.head.text + spans.join('') }]
}

if (import.meta.main) {
  const files = globSync('pkg/**/*.ts').filter((file) => !UNCHECKED.test(file))
  const lines = files.sort().flatMap((file) => {
    const breaches = lintText(readFileSync(file, 'utf8'))
    return breaches.map(({ line, message }) => `${file}:${line}: ${message}`)
  })
  for (const line of lines) console.error(line)
  process.exit(lines.length === 0 ? 0 : 1)
}
