/** Which services other domains may find and request: those exported to the domain, and those exported to all. */
import { isRegisteredName, NsmError } from '../../base/index.ts'
import { ConditionError, checkExportCondition, type Exports, eitherCondition } from '../../policy/index.ts'
import {
  type DomainRecord,
  type ExportedWhen,
  MAX_CONDITIONS,
  MAX_EXPORTS,
  SELF,
  type SelfRecord,
} from '../store/trust-record.ts'
import { noSelf } from './introduce-self.ts'
import { notJoined } from './joined-domains.ts'
import type { TrustRecords } from './trust-records.ts'

/** Stands for every joined domain, also those that join later. */
export const EVERY_DOMAIN = '*'

export interface Export {
  readonly service: string
  /** A domain, or {@link EVERY_DOMAIN}. */
  readonly domain: string
  /** A CEL condition that says for whom there; absent or empty for everybody. */
  readonly when?: string | undefined
}

/** What is exported to each joined domain, for everybody there or for some. */
export function exportsOf(records: TrustRecords): Exports {
  const conditions = exportConditionsOf(records)
  const services = (domain: DomainRecord) => [
    ...forEverybody(records, domain),
    ...(conditions.get(domain.name)?.keys() ?? []),
  ]
  return new Map(records.all('domain').map((domain) => [domain.name, new Set(services(domain).sort())]))
}

/** By domain and service, for whom the exports are that are not for everybody there. */
export function exportConditionsOf(records: TrustRecords): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const toAll = records.get('self', SELF)?.exportedWhen ?? {}
  return new Map(
    records.all('domain').map((domain) => {
      const whole = forEverybody(records, domain)
      const conditions = [...Object.entries(either(toAll, domain.exportedWhen ?? {}))]
      return [domain.name, new Map(conditions.filter(([service]) => !whole.has(service)))]
    }),
  )
}

/**
 * An export replaces the one of the same service to the same domain.
 * @throws {NsmError} `invalid_argument` for a malformed name or condition, `not_found` when the domain has not joined,
 *   `resource_exhausted` when too many services are exported to it.
 */
export async function exportService(records: TrustRecords, exported: Export): Promise<void> {
  const { service, domain, when = '' } = exported
  if (!isRegisteredName(service)) {
    throw new NsmError('invalid_argument', 'Cannot export the service: its name is malformed', {
      fields: { service: service.slice(0, 64) },
      next: 'name one service of this domain, without "@domain"; patterns are not supported',
    })
  }
  if (when !== '') checkCondition(when, service)
  await change(records, domain, notJoined, (record) => addTo(record, exported))
}

/** @throws {NsmError} `not_found` when the service is not exported so: a mistyped name must not look like success. */
export async function withdrawService(records: TrustRecords, { service, domain }: Export): Promise<void> {
  const nobody = () => notExported({ service, domain })
  await change(records, domain, nobody, (record) => {
    if (!isExported(record, service)) throw nobody()
    return without(record, service)
  })
}

type Exporting = DomainRecord | SelfRecord

async function change(
  records: TrustRecords,
  domain: string,
  missing: (domain: string) => NsmError,
  edit: <R extends Exporting>(record: R) => R,
): Promise<void> {
  if (domain === EVERY_DOMAIN) await records.change('self', SELF, (self = noSelf) => edit(self))
  else {
    await records.change('domain', domain, (joined) => {
      if (joined === undefined) throw missing(domain)
      return edit(joined)
    })
  }
}

/** The same record where nothing changes. */
function addTo<R extends Exporting>(record: R, { service, domain, when = '' }: Export): R {
  const { exports, exportedWhen = {} } = record
  if (when === '' ? exports.includes(service) : exportedWhen[service] === when) return record
  const others = without(record, service)
  checkRoom(others, { service, domain, when })
  if (when === '') return { ...others, exports: [...others.exports, service].sort() }
  return { ...others, exportedWhen: { ...others.exportedWhen, [service]: when } }
}

function without<R extends Exporting>(record: R, service: string): R {
  const { exports, exportedWhen = {} } = record
  const conditions = Object.entries(exportedWhen).filter(([name]) => name !== service)
  return {
    ...record,
    exports: exports.filter((name) => name !== service),
    exportedWhen: Object.fromEntries(conditions),
  }
}

function isExported({ exports, exportedWhen = {} }: Exporting, service: string): boolean {
  return exports.includes(service) || Object.hasOwn(exportedWhen, service)
}

function forEverybody(records: TrustRecords, { exports }: DomainRecord): ReadonlySet<string> {
  return new Set([...(records.get('self', SELF)?.exports ?? []), ...exports])
}

function either(one: ExportedWhen, other: ExportedWhen): ExportedWhen {
  const both = Object.entries(other).map(([service, when]) => {
    const toAll = Object.hasOwn(one, service) ? one[service] : undefined
    return [service, toAll === undefined ? when : eitherCondition(toAll, when)] as const
  })
  return { ...one, ...Object.fromEntries(both) }
}

function checkRoom({ exports, exportedWhen = {} }: Exporting, { service, domain, when }: Export): void {
  const conditions = Object.keys(exportedWhen).length
  const isFull = exports.length + conditions >= MAX_EXPORTS || (when !== '' && conditions >= MAX_CONDITIONS)
  if (!isFull) return
  throw new NsmError('resource_exhausted', 'Cannot export the service: too many are exported to that domain', {
    fields: { service, domain, most: when === '' ? MAX_EXPORTS : MAX_CONDITIONS },
    next: `withdraw one first: nsmctl domain unexport <service> ${domain}`,
  })
}

function checkCondition(when: string, service: string): void {
  try {
    checkExportCondition(when)
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error
    throw new NsmError('invalid_argument', `Cannot export the service: its condition is wrong: ${error.message}`, {
      fields: { service, character: error.offset + 1 },
      next: 'docs/policy.md shows what conditions may say',
    })
  }
}

function notExported({ service, domain }: Export): NsmError {
  return new NsmError('not_found', 'Cannot withdraw the service: it is not exported to that domain', {
    fields: { service: service.slice(0, 64), domain: domain.slice(0, 64) },
    next: 'nsmctl domain list shows the exports; "*" withdraws only what was exported to "*"',
  })
}
