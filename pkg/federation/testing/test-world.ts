/** Domains in one process, whose registries call each other's handlers: the tests of federation run on it. */
import type { Call } from '../../api/index.ts'
import { NsmError, Scope, silentLogger } from '../../base/index.ts'
import { FakeClock } from '../../base/testing/index.ts'
import { Authority, createAuthorityMaterial, issueIdentity } from '../../identity/index.ts'
import { reachFrom } from '../../net/index.ts'
import { registryId } from '../../policy/index.ts'
import { openDatabase } from '../../store/index.ts'
import { Invitations } from '../joining/invitations.ts'
import type { Platform } from '../platform/platform.ts'
import { JoinedRegistries } from '../registries/joined-registries.ts'
import type { RegistryChannel, RegistryChannels } from '../registries/registry-channels.ts'
import { type AuthorityHandlers, authorityHandlers } from '../services/authority-service.ts'
import { type DomainsHandlers, domainsHandlers } from '../services/domains-service.ts'
import { type FederationHandlers, federationHandlers } from '../services/federation-service.ts'
import { federationRecords, federationTables } from '../store/schema.ts'
import { sqliteTrustStore } from '../store/sqlite-trust-store.ts'
import type { TrustStore } from '../store/trust-store.ts'
import { ConnectedNodes } from '../trust/connected-nodes.ts'
import { fingerprint } from '../trust/introduction.ts'
import { NodeAddresses } from '../trust/node-addresses.ts'
import { Trust } from '../trust/trust.ts'
import { TrustRecords } from '../trust/trust-records.ts'
import { UnreliableStore } from './unreliable-store.ts'

export interface TestDomain {
  readonly trust: Trust
  readonly store: UnreliableStore
  readonly authorityKey: Authority
  readonly address: string
  readonly registries: JoinedRegistries
  readonly invitations: Invitations
  readonly authority: AuthorityHandlers
  readonly domains: DomainsHandlers
  readonly federation: FederationHandlers
  /** SPIFFE IDs of nodes whose registrations were removed. */
  readonly revoked: string[]
  /** Whether its registry answers others. */
  isAway: boolean
  /** It does what it is asked, and its caller does not hear of it. */
  losesAnswers: boolean
  close(): Promise<void>
}

const reach = reachFrom([])

interface Place {
  readonly address: string
  readonly authority: Authority
  readonly store: TrustStore
}

export class TestWorld {
  readonly clock = new FakeClock()
  readonly scope = new Scope()
  /** Of the nodes of every domain that is made from now on. */
  platform: Platform | undefined
  readonly #byAddress = new Map<string, TestDomain>()

  /** @param address under which the others reach it; a second domain at the same address takes its place. */
  async domain(name: string, address = `${name}.test:5002`): Promise<TestDomain> {
    const authority = new Authority(await createAuthorityMaterial(name, this.clock), this.clock)
    const made = await this.#open({ address, authority, store: this.emptyStore() })
    this.#byAddress.set(address, made)
    return made
  }

  /** Another replica of its registry, which others do not call. */
  replica({ address, authorityKey, store }: TestDomain): Promise<TestDomain> {
    return this.#open({ address, authority: authorityKey, store: store.store })
  }

  /** Its registry starts anew on the same records, in the place of the one that died. */
  async restart(dead: TestDomain): Promise<TestDomain> {
    await dead.close()
    const made = await this.replica(dead)
    this.#byAddress.set(dead.address, made)
    return made
  }

  emptyStore(): TrustStore {
    const options = { application: 'test', migrations: [federationTables, federationRecords] }
    return sqliteTrustStore(this.scope.own(openDatabase(':memory:', options)))
  }

  /** Lets everything run that waits for nothing but its turn. */
  async settle(): Promise<void> {
    await this.clock.advance(0)
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  async #open({ address, authority, store: inner }: Place): Promise<TestDomain> {
    const { clock } = this
    const scope = new Scope()
    const domain = authority.trustDomain
    const store = new UnreliableStore(inner)
    const records = scope.own(await TrustRecords.open({ store, clock, logger: silentLogger }))
    const authorities = [authority.certificate]
    const trust = scope.own(await Trust.open({ records, domain, authorities, addresses: [address], reach, clock }))
    const invitations = new Invitations(records, clock)
    const channels = this.#channels(authority)
    const common = { trust, invitations, channels, clock, logger: silentLogger }
    const registries = scope.own(new JoinedRegistries(common))
    const revoked: string[] = []
    const nodes = new NodeAddresses({ records, domain, reach, platform: this.platform })
    const connected = scope.own(new ConnectedNodes({ records, clock, logger: silentLogger }))
    const onRevoked = async (spiffeId: string) => void revoked.push(spiffeId)
    this.scope.defer(() => scope.close())
    return {
      trust,
      store,
      authorityKey: authority,
      address,
      registries,
      invitations,
      authority: authorityHandlers({ ...common, authority, nodes, connected, platform: this.platform }),
      domains: domainsHandlers({ ...common, registries, connected, onRevoked }),
      federation: federationHandlers(common),
      revoked,
      isAway: false,
      losesAnswers: false,
      close: () => scope.close(),
    }
  }

  #channels(authority: Authority): RegistryChannels {
    const caller = authority.trustDomain
    const svid = async () => (await issueIdentity(authority, { spiffeId: registryId(caller) })).svid
    const answering = (address: string, callAs: CallAs, isTrusted: (other: TestDomain) => boolean) => {
      const find = () => {
        const other = this.#byAddress.get(address)
        if (other === undefined || other.isAway) throw new NsmError('unavailable', 'Cannot connect')
        if (!isTrusted(other)) throw new NsmError('unauthenticated', 'Cannot verify the SVID')
        return other
      }
      return fakeChannel(find, callAs)
    }
    return {
      member: (address, domain, bundles) => {
        const trusted = () => bundles ?? this.#named(caller)?.trust.bundles() ?? new Map()
        const isTrusted = (other: TestDomain) =>
          other.trust.domain === domain &&
          [...(trusted().get(domain) ?? [])].some((der) => fingerprint(der) === pinOf(other)) &&
          other.trust.bundles().has(caller)
        return answering(address, async (signal) => callOf(registryId(caller), signal), isTrusted)
      },
      pinned: (address, _, pin) => {
        const callAs = async (signal: AbortSignal) => callOf('', signal, (await svid()).chain)
        return answering(address, callAs, (other) => pinOf(other) === pin)
      },
    }
  }

  #named(name: string): TestDomain | undefined {
    return [...this.#byAddress.values()].find(({ trust }) => trust.domain === name)
  }
}

/** @param chain what the caller showed in the TLS handshake */
export function callOf(
  spiffeId: string,
  signal = new AbortController().signal,
  chain: readonly Uint8Array[] = [],
): Call {
  const expiresMs = 8.64e15 // the last Date: an identity that is as new as can be
  return { peer: { spiffeId, chain, attestation: undefined, expiresMs }, token: undefined, signal }
}

/** Who calls, as the other side sees it. */
type CallAs = (signal: AbortSignal) => Promise<Call>

function pinOf({ authorityKey }: TestDomain): string {
  return fingerprint(authorityKey.certificate)
}

function fakeChannel(find: () => TestDomain, callAs: CallAs): RegistryChannel {
  const unused = () => {
    throw new Error('not used by these tests')
  }
  const registry = { register: unused, find: unused, unregister: unused }
  return {
    federation: {
      accept: async (request, { signal }) => {
        const other = find()
        const answer = await other.federation.accept(request, await callAs(signal))
        if (other.losesAnswers) throw new NsmError('unavailable', 'The connection broke during the call')
        return answer
      },
      leave: async (request, { signal }) => find().federation.leave(request, await callAs(signal)),
      async *watchBundle(request, { signal }) {
        yield* find().federation.watchBundle(request, await callAs(signal))
      },
    },
    services: registry,
    endpoints: registry,
    close: () => {},
  }
}
