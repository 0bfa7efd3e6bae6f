/** The kinds of objects that `get` lists and `describe` shows. */
import type { Found, RegistryClient } from '../../api/index.ts'
import { type Format, renderList, type View } from '../output.ts'
import { domains, endpoints, nodes, services, wires } from '../view/lists.ts'
import type { Context } from './context.ts'

export interface Resource {
  /** The words that select this kind, plural first. */
  readonly words: readonly string[]
  readonly about: string
  list(context: Context): Promise<Listing>
}

/** Rows together with their view, so that callers do not need to know the type of the rows. */
export interface Listing {
  render(format: Format): string
  /** The row whose name or id is `name`, or else all rows for which it is a prefix. */
  named(name: string): readonly unknown[]
  readonly names: readonly string[]
  /** Whether something that is listed does not work. */
  readonly hasProblem: boolean
}

export const RESOURCES: readonly Resource[] = [
  {
    words: ['services', 'service', 'netsvc', 'ns'],
    about: 'network services of the domain',
    list: async ({ mesh, terminal }) => {
      const { services: registry } = await mesh.node()
      const rows = await findAll(registry, { service: {}, watch: false }, terminal.signal)
      return listing(rows, services, (row) => row.name)
    },
  },
  {
    words: ['endpoints', 'endpoint', 'nse'],
    about: 'endpoints of the domain',
    list: async ({ mesh, terminal, clock }) => {
      const { endpoints: registry } = await mesh.node()
      const rows = await findAll(registry, { endpoint: {}, watch: false }, terminal.signal)
      return listing(rows, endpoints({ nowMs: clock.nowMs() }), (row) => row.name)
    },
  },
  {
    words: ['wires', 'wire'],
    about: 'wires of this node',
    list: async ({ mesh, clock }) => {
      const rows = await (await mesh.node()).wires('')
      const listed = listing(rows, wires({ nowMs: clock.nowMs() }), (row) => row.id)
      return { ...listed, hasProblem: rows.some(({ state }) => !WORKING.includes(state)) }
    },
  },
  {
    words: ['nodes', 'node'],
    about: 'nodes of the domain (on the host of the registry)',
    list: async ({ mesh, clock }) => {
      const rows = await (await mesh.admin()).nodes()
      return listing(rows, nodes({ nowMs: clock.nowMs() }), (row) => row.name)
    },
  },
  {
    words: ['domains', 'domain'],
    about: 'domains that this one has joined (on the host of the registry)',
    list: async ({ mesh, clock }) => {
      const { domains: rows } = await (await mesh.admin()).domains()
      return listing(rows, domains({ nowMs: clock.nowMs() }), (row) => row.name)
    },
  },
]

/** The states of wires that `nsmctl status` does not complain of either. */
const WORKING = ['up', 'connecting', 'unconfirmed', 'settling']

export function resourceNamed(word: string): Resource | undefined {
  return RESOURCES.find(({ words }) => words.includes(word))
}

function listing<T>(rows: readonly T[], view: View<T>, nameOf: (row: T) => string): Listing {
  return {
    render: (format) => renderList(rows, view, format),
    named(name) {
      const exact = rows.filter((row) => nameOf(row) === name)
      return exact.length > 0 ? exact : rows.filter((row) => nameOf(row).startsWith(name))
    },
    names: rows.map(nameOf),
    hasProblem: false,
  }
}

async function findAll<T, Q>(registry: RegistryClient<T, Q>, query: Q, signal: AbortSignal): Promise<readonly T[]> {
  const found: T[] = []
  for await (const { value } of registry.find(query, { signal }) as AsyncIterable<Found<T>>) found.push(value)
  return found
}
