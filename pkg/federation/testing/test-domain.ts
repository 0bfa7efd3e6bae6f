/** Domains in one process, whose registries call each other's handlers: what the tests of federation run on. */
import type { Call } from '../../api/index.ts'
import { NsmError, Scope, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { Authority, createAuthorityMaterial } from '../../identity/index.ts'
import { registryId } from '../../policy/index.ts'
import { openDatabase } from '../../store/index.ts'
import { fingerprint } from '../joining/introduction.ts'
import { Invitations } from '../joining/invitations.ts'
import { DomainLinks } from '../links/domain-links.ts'
import type { Channels, RegistryChannel } from '../links/registry-channels.ts'
import { type AuthorityHandlers, authorityHandlers } from '../services/authority-service.ts'
import { type DomainsHandlers, domainsHandlers } from '../services/domains-service.ts'
import { type FederationHandlers, federationHandlers } from '../services/federation-service.ts'
import { federationSchema } from '../store/schema.ts'
import { Trust } from '../trust/trust.ts'

export interface TestDomain {
  readonly trust: Trust
  readonly authorityCertificate: Uint8Array
  readonly links: DomainLinks
  readonly authority: AuthorityHandlers
  readonly domains: DomainsHandlers
  readonly federation: FederationHandlers
  readonly expelled: string[]
  /** Whether its registry answers others. */
  isAway: boolean
}

export class TestWorld {
  readonly clock = new FakeClock()
  readonly scope = new Scope()
  readonly #byAddress = new Map<string, TestDomain>()

  /** @param address under which the others reach it; a second domain at the same address takes its place. */
  async domain(name: string, address = `${name}.test:5002`): Promise<TestDomain> {
    const { clock, scope } = this
    const database = scope.own(openDatabase(':memory:', { application: 'test', migrations: [federationSchema] }))
    const material = await createAuthorityMaterial(name, clock)
    const authority = new Authority(material, clock)
    const authorities = [authority.certificate]
    const trust = new Trust({ database, domain: name, authorities, addresses: [address], clock })
    const invitations = new Invitations(database, clock)
    const channels = this.#channels(name)
    const common = { trust, invitations, channels, clock, logger: silentLogger }
    const links = scope.own(new DomainLinks(common))
    const expelled: string[] = []
    const onExpelled = async (spiffeId: string) => void expelled.push(spiffeId)
    const made = {
      trust,
      authorityCertificate: authority.certificate,
      links,
      authority: authorityHandlers({ ...common, authority }),
      domains: domainsHandlers({ ...common, links, onExpelled }),
      federation: federationHandlers(common),
      expelled,
      isAway: false,
    }
    this.#byAddress.set(address, made)
    return made
  }

  /** Lets everything run that waits for nothing but its turn. */
  async settle(): Promise<void> {
    await this.clock.advance(0)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  #channels(caller: string): Channels {
    const answering = (address: string, callerId: string, isTrusted: (other: TestDomain) => boolean) => {
      const find = () => {
        const other = this.#byAddress.get(address)
        if (other === undefined || other.isAway) throw new NsmError('unavailable', 'Cannot connect')
        if (!isTrusted(other)) throw new NsmError('unauthenticated', 'Cannot verify SVID')
        return other
      }
      return fakeChannel(find, callerId)
    }
    return {
      member: (address, domain, bundles) => {
        const trusted = () => bundles ?? this.#named(caller)?.trust.bundles() ?? new Map()
        const isTrusted = (other: TestDomain) =>
          other.trust.domain === domain &&
          [...(trusted().get(domain) ?? [])].some(
            (der) => fingerprint(der) === fingerprint(other.authorityCertificate),
          ) &&
          other.trust.bundles().has(caller)
        return answering(address, registryId(caller), isTrusted)
      },
      pinned: (address, _, pin) => answering(address, '', (other) => fingerprint(other.authorityCertificate) === pin),
    }
  }

  #named(name: string): TestDomain | undefined {
    return [...this.#byAddress.values()].find(({ trust }) => trust.domain === name)
  }
}

export function callOf(spiffeId: string, signal = new AbortController().signal): Call {
  return { peer: { spiffeId, chain: [], attestation: undefined }, token: undefined, signal }
}

function fakeChannel(find: () => TestDomain, callerId: string): RegistryChannel {
  const unused = () => {
    throw new Error('not used by these tests')
  }
  const registry = { register: unused, find: unused, unregister: unused }
  return {
    federation: {
      accept: async (request, { signal }) => find().federation.accept(request, callOf(callerId, signal)),
      leave: async (request, { signal }) => find().federation.leave(request, callOf(callerId, signal)),
      async *watchBundle(request, { signal }) {
        yield* find().federation.watchBundle(request, callOf(callerId, signal))
      },
    },
    services: registry,
    endpoints: registry,
    close: () => {},
  }
}
