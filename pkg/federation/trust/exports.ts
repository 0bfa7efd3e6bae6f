/** Which services other domains may find and request: those exported to the domain, and those exported to all. */
import { isRegisteredName, NsmError } from '../../base/index.ts'
import type { Exports } from '../../policy/index.ts'
import { MAX_EXPORTS, SELF } from '../store/trust-record.ts'
import { noSelf } from './introduce-self.ts'
import { notJoined } from './joined-domains.ts'
import type { TrustRecords } from './trust-records.ts'

/** Stands for every joined domain, also those that join later. */
export const EVERY_DOMAIN = '*'

export interface Export {
  readonly service: string
  /** A domain, or {@link EVERY_DOMAIN}. */
  readonly domain: string
}

/** Of every joined domain. */
export function exportsOf(records: TrustRecords): Exports {
  const toAll = records.get('self', SELF)?.exports ?? []
  return new Map(records.all('domain').map(({ name, exports }) => [name, new Set([...toAll, ...exports].sort())]))
}

/**
 * @throws {NsmError} `invalid_argument` for a malformed name, `not_found` when the domain has not joined,
 *   `resource_exhausted` when too many services are exported to it.
 */
export async function exportService(records: TrustRecords, { service, domain }: Export): Promise<void> {
  if (!isRegisteredName(service)) {
    throw new NsmError('invalid_argument', 'Cannot export the service: its name is malformed', {
      fields: { service: service.slice(0, 64) },
      next: 'name one service of this domain, without "@domain"; patterns are not supported',
    })
  }
  const add = (exports: readonly string[]) => addTo(exports, { service, domain })
  if (domain === EVERY_DOMAIN) await records.change('self', SELF, (self = noSelf) => withExports(self, add))
  else {
    await records.change('domain', domain, (joined) => {
      if (joined === undefined) throw notJoined(domain)
      return withExports(joined, add)
    })
  }
}

/** @throws {NsmError} `not_found` when the service is not exported so: a mistyped name must not look like success. */
export async function withdrawService(records: TrustRecords, { service, domain }: Export): Promise<void> {
  const remove = (exports: readonly string[]) => removeFrom(exports, { service, domain })
  if (domain === EVERY_DOMAIN) await records.change('self', SELF, (self = noSelf) => withExports(self, remove))
  else {
    await records.change('domain', domain, (joined) => {
      if (joined === undefined) throw notExported({ service, domain })
      return withExports(joined, remove)
    })
  }
}

/** The same record where the exports stay the same. */
function withExports<R extends { readonly exports: readonly string[] }>(
  record: R,
  change: (exports: readonly string[]) => readonly string[],
): R {
  const exports = change(record.exports)
  return exports === record.exports ? record : { ...record, exports }
}

function addTo(exports: readonly string[], { service, domain }: Export): readonly string[] {
  if (exports.includes(service)) return exports
  if (exports.length < MAX_EXPORTS) return [...exports, service].sort()
  throw new NsmError('resource_exhausted', 'Cannot export the service: too many are exported to that domain', {
    fields: { service, domain, most: MAX_EXPORTS },
    next: `withdraw one first: nsmctl domain unexport <service> ${domain}`,
  })
}

function removeFrom(exports: readonly string[], { service, domain }: Export): readonly string[] {
  if (!exports.includes(service)) throw notExported({ service, domain })
  return exports.filter((name) => name !== service)
}

function notExported({ service, domain }: Export): NsmError {
  return new NsmError('not_found', 'Cannot withdraw the service: it is not exported to that domain', {
    fields: { service: service.slice(0, 64), domain: domain.slice(0, 64) },
    next: 'nsmctl domain list shows the exports; "*" withdraws only what was exported to "*"',
  })
}
