/** The kinds of things that `get` lists and `describe` shows. */
import type { Found, RegistryClient } from '../../api/index.ts'
import { type Format, renderList, type View } from '../output.ts'
import { domains, endpoints, nodes, services, wires } from '../view/lists.ts'
import type { Context } from './context.ts'

export interface Resource {
  /** Plural first: the words by which it may be called. */
  readonly words: readonly string[]
  readonly about: string
  list(context: Context): Promise<Listing>
}

/** Rows with their view, so that callers need not know what the rows are. */
export interface Listing {
  render(format: Format): string
  /** The rows called `name`: by name, or by an id or the beginning of one. */
  named(name: string): readonly unknown[]
  readonly names: readonly string[]
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
      return listing(rows, wires({ nowMs: clock.nowMs() }), (row) => row.id)
    },
  },
  {
    words: ['nodes', 'node'],
    about: 'nodes of the domain (on its registry)',
    list: async ({ mesh, clock }) => {
      const rows = await (await mesh.admin()).nodes()
      return listing(rows, nodes({ nowMs: clock.nowMs() }), (row) => row.name)
    },
  },
  {
    words: ['domains', 'domain'],
    about: 'domains that this one is joined with (on its registry)',
    list: async ({ mesh, clock }) => {
      const { domains: rows } = await (await mesh.admin()).domains()
      return listing(rows, domains({ nowMs: clock.nowMs() }), (row) => row.name)
    },
  },
]

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
  }
}

async function findAll<T, Q>(registry: RegistryClient<T, Q>, query: Q, signal: AbortSignal): Promise<readonly T[]> {
  const found: T[] = []
  for await (const { value } of registry.find(query, { signal }) as AsyncIterable<Found<T>>) found.push(value)
  return found
}
