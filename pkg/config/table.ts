/**
 * The configuration of a program as one table of environment variables. The typed values, `--help` and the error
 * message all come from it. The error names all mistakes at once, so that nobody has to fix them one start at a time.
 */
import { NsmError } from '../base/index.ts'

/**
 * Converts the text of a variable to its value.
 * @throws {Error} with a message that says what is wrong with the text
 */
export type Parser<T> = (text: string) => T

export interface Variable<T> {
  readonly env: string
  readonly help: string
  readonly parse: Parser<T>
  /** The text that is used when the variable is not set; undefined for none. */
  readonly fallback: string | undefined
  readonly isRequired: boolean
}

type Variables = Readonly<Record<string, Variable<unknown>>>
type Values<V extends Variables> = { readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never }

export type Environment = Readonly<Record<string, string | undefined>>

/** The parts of a variable that documentation shows. */
export type VariableText = Pick<Variable<unknown>, 'env' | 'help' | 'fallback' | 'isRequired'>

export interface Config<T> {
  readonly about: string
  readonly variables: readonly VariableText[]
  readonly help: string
  /** @throws {NsmError} `invalid_argument` with every missing or invalid variable, its value and the reason */
  read(environment?: Environment): T
}

export function required<T>(env: string, help: string, parse: Parser<T>): Variable<T> {
  return { env, help, parse, fallback: undefined, isRequired: true }
}

export function optional<T>(env: string, help: string, parse: Parser<T>): Variable<T | undefined> {
  return { env, help, parse, fallback: undefined, isRequired: false }
}

/** @param fallback the default as text; it is parsed like a value of the variable */
export function withDefault<T>(variable: Variable<T>, fallback: string): Variable<T> {
  return { ...variable, fallback, isRequired: false }
}

/** @param check says what is wrong with the values together, once each of them is right */
export function defineConfig<V extends Variables>(
  about: string,
  variables: V,
  check: (values: Values<V>) => readonly string[] = () => [],
): Config<Values<V>> {
  return {
    about,
    variables: Object.values(variables),
    help: renderHelp(about, variables),
    read: (environment = process.env) => {
      const values = readAll(variables, environment)
      refuse(check(values))
      return values
    },
  }
}

function readAll<V extends Variables>(variables: V, environment: Environment): Values<V> {
  const mistakes: string[] = []
  const values = Object.entries(variables).map(([key, variable]) => {
    try {
      return [key, readOne(variable, environment[variable.env])] as const
    } catch (error) {
      mistakes.push(error instanceof Error ? error.message : String(error))
      return [key, undefined] as const
    }
  })
  refuse(mistakes)
  return Object.fromEntries(values) as Values<V>
}

function refuse(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return
  throw new NsmError('invalid_argument', `Cannot read the configuration: ${mistakes.join('; ')}`, {
    next: 'run with --help to see every variable',
  })
}

/** An empty variable counts as not set, because manifests and shells leave variables out that way. */
function readOne<T>(variable: Variable<T>, given: string | undefined): T | undefined {
  const text = given === undefined || given === '' ? variable.fallback : given
  if (text === undefined) {
    if (variable.isRequired) throw new Error(`${variable.env} is not set (${variable.help})`)
    return undefined
  }
  try {
    return variable.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${variable.env}=${JSON.stringify(text)} ${reason}`)
  }
}

function renderHelp(about: string, variables: Variables): string {
  const rows = Object.values(variables).map(({ env, help, fallback, isRequired }) => {
    const note = isRequired ? ' (required)' : fallback === undefined || fallback === '' ? '' : ` (default ${fallback})`
    return [env, `${help}${note}`] as const
  })
  const width = Math.max(...rows.map(([env]) => env.length))
  return [about, '', 'Environment:', ...rows.map(([env, text]) => `  ${env.padEnd(width)}  ${text}`), ''].join('\n')
}
