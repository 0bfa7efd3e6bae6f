/**
 * Numbers of routing tables for policies, unique per namespace. They start at 1, as users of NSM expect to see them,
 * and stay taken until everything of the wire is gone, or a new wire would meet the old one's routes.
 */
import { NsmError } from '../base/index.ts'
import { type End, type WireIntent, workloadOf } from '../mechanism/index.ts'
import type { WireTables } from './plan-wire.ts'

/** 253, 254 and 255 are the kernel's default, main and local tables. */
const MOST_TABLES = 252

export class RoutingTables {
  /** Namespace to table number to owner. */
  readonly #owners = new Map<string, Map<number, string>>()

  /** The tables that the owner had, as far as they are enough, and free ones. @throws {NsmError} `resource_exhausted` */
  allocate({ id, client, server }: WireIntent, before: WireTables | undefined): WireTables {
    return {
      client: this.#take(id, client, before?.client ?? []),
      server: this.#take(id, server, before?.server ?? []),
    }
  }

  release(owner: string): void {
    for (const [namespace, owners] of this.#owners) {
      for (const [table, who] of owners) if (who === owner) owners.delete(table)
      if (owners.size === 0) this.#owners.delete(namespace)
    }
  }

  #take(owner: string, end: End, before: readonly number[]): readonly number[] {
    const { namespace = '', policies = [] } = workloadOf(end) ?? {}
    if (policies.length === 0) return []
    const owners = this.#owners.get(namespace) ?? new Map<number, string>()
    this.#owners.set(namespace, owners)
    const taken: number[] = []
    for (const index of policies.keys()) {
      const table = this.#keep(owners, before[index], { owner, taken }) ?? firstFree(owners)
      owners.set(table, owner)
      taken.push(table)
    }
    return taken
  }

  #keep(
    owners: ReadonlyMap<number, string>,
    table: number | undefined,
    { owner, taken }: { readonly owner: string; readonly taken: readonly number[] },
  ): number | undefined {
    if (table === undefined || taken.includes(table)) return undefined
    return (owners.get(table) ?? owner) === owner ? table : undefined
  }
}

function firstFree(owners: ReadonlyMap<number, string>): number {
  for (let table = 1; table <= MOST_TABLES; table += 1) if (!owners.has(table)) return table
  throw new NsmError('resource_exhausted', 'Cannot route by policy: the namespace has no free routing table', {
    fields: { tables: MOST_TABLES },
    next: 'ask for fewer policies, or close connections of this workload',
  })
}
