/**
 * Who this node is. By default its domain's authority says so: the first time for a one-time token, from then on for the
 * identity that the node has, which is kept on disk; or each time for the token of a platform that vouches for it. With
 * SPIFFE_ENDPOINT_SOCKET another agent says it, and nothing else changes.
 */
import { createHash } from 'node:crypto'
import { isAway, NsmError, type Runtime, retryUntilDone } from '../../base/index.ts'
import { type NsmdConfig, readTextFile } from '../../config/index.ts'
import {
  createKeyAndCsr,
  type Identity,
  type IdentitySource,
  identityFile,
  joinedDomainsSource,
  type KeyAndCsr,
  keyProof,
  removeSecretFile,
  renewingSource,
  staticSource,
} from '../../identity/index.ts'
import { isRegistry, nodeId } from '../../policy/index.ts'
import { Channel, type ClientSecurity, workloadApiSource } from '../../rpc/index.ts'
import { type AuthorityClient, authorityClient, type Issued } from '../authority-client.ts'
import type { NodeTrust } from '../trust/node-trust.ts'
import { identityOf } from './issued-identity.ts'
import { joiningKey } from './joining-key.ts'

const RETRY = { firstMs: 200, maxMs: 4_000 }

/** What a one-time token says. */
export interface JoinToken {
  readonly kind: string
  readonly domain: string
  /** The name of the node or domain that may join with it. */
  readonly guest: string
  /** base64url of the SHA-256 of the authority's certificate. */
  readonly fingerprint: string
}

/** What vouches for this node in place of an invitation, such as Kubernetes. */
export interface NodePlatform {
  /** Proves, for a short time, which node this is. */
  token(): Promise<string>
  /** The certificate of the domain's authority, DER; undefined while the registry has not told it yet. */
  authority(): Promise<Uint8Array | undefined>
}

export interface NodeIdentityOptions extends Runtime {
  readonly config: NsmdConfig
  readonly trust: NodeTrust
  /** Of the file where the identity is kept. */
  readonly path: string
  /** @throws {NsmError} `invalid_argument` when `text` is no token */
  readonly decodeToken: (text: string) => JoinToken
  readonly platform?: NodePlatform | undefined
}

export async function nodeIdentity(options: NodeIdentityOptions): Promise<IdentitySource> {
  const { config, trust, path, clock, logger, signal } = options
  if (config.spiffeSocket !== undefined) return fromAgent(config.spiffeSocket, options)
  const file = identityFile(path)
  const source = await renewingSource({
    obtain: (current, until) => obtain(options, current, until),
    load: async () => withTrust(trust, checkOwn(config, await file.load())),
    async save(identity) {
      await file.save(identity)
      await removeSecretFile(joiningKeyPath(options))
    },
    clock,
    logger,
    signal,
  })
  const unsubscribe = trust.subscribe(() => source.setBundles(trust.bundles()))
  return {
    ...source,
    async close() {
      unsubscribe()
      await source.close()
    },
  }
}

/** Waits for an agent that is away, or does not know this node yet. */
async function fromAgent(url: string, { config, trust, clock, logger, signal }: NodeIdentityOptions) {
  const agent = await workloadApiSource({ url, clock, logger, signal })
  const wanted = nodeId(config.domain, config.name)
  const { spiffeId } = agent.current().svid
  if (spiffeId === wanted) return joinedDomainsSource(agent, trust)
  await agent.close()
  throw new NsmError('failed_precondition', 'Cannot use the identity: it is not that of this node', {
    fields: { spiffeId, wanted },
    next: `register ${wanted} with the agent, for the user that nsmd runs as`,
  })
}

/** An identity that has expired is renewed all the same, and where the authority refuses that, a token is asked for. */
async function obtain(
  options: NodeIdentityOptions,
  current: Identity | undefined,
  signal: AbortSignal,
): Promise<Identity> {
  if (options.platform !== undefined) return await joinByPlatform(options, options.platform, signal)
  if (current === undefined) return await join(options, signal)
  if (current.svid.expiresMs > options.clock.nowMs()) return await renew(options, current, signal)
  try {
    return await whileAway(options, signal, () => renew(options, current, signal))
  } catch (error) {
    signal.throwIfAborted()
    if (options.config.joinTokenFile === undefined) throw error
    return await join(options, signal)
  }
}

async function join(options: NodeIdentityOptions, signal: AbortSignal): Promise<Identity> {
  const token = readToken(options)
  const key = await joiningKey(joiningKeyPath(options))
  const svid = await keyProof(key.privateKey, options.clock)
  const security = { authoritySha256: Buffer.from(token.fingerprint, 'base64url'), svid }
  return await whileAway(options, signal, () =>
    ask(options, { security, key }, (authority) => authority.joinNode(key.csr, token.text, signal)),
  )
}

/** The same each time: so nobody goes on as this node for whom the platform does not vouch any more. */
function joinByPlatform(options: NodeIdentityOptions, platform: NodePlatform, signal: AbortSignal): Promise<Identity> {
  return whileAway(options, signal, async () => {
    const [authority, token] = await Promise.all([platform.authority(), platform.token()])
    if (authority === undefined) {
      throw new NsmError('unavailable', 'Cannot join the domain: its registry has not started yet')
    }
    const key = await createKeyAndCsr()
    const authoritySha256 = createHash('sha256').update(authority).digest()
    const security = { authoritySha256, svid: await keyProof(key.privateKey, options.clock) }
    const identity = await ask(options, { security, key }, (registry) => registry.joinNode(key.csr, token, signal))
    checkName(options.config, identity)
    return identity
  })
}

function checkName({ domain, name }: NsmdConfig, { svid: { spiffeId } }: Identity): void {
  if (spiffeId === nodeId(domain, name)) return
  throw new NsmError('failed_precondition', 'Cannot join the domain: the platform vouches for another node', {
    fields: { spiffeId, wanted: nodeId(domain, name) },
    next: 'set NSM_NAME to the name of the node, from spec.nodeName of the pod',
  })
}

/** Waits for a registry that is away; what it refuses is final. */
function whileAway(
  { clock, logger }: NodeIdentityOptions,
  signal: AbortSignal,
  attempt: () => Promise<Identity>,
): Promise<Identity> {
  const log = { logger, message: 'Cannot get the identity yet: the registry is away' }
  return retryUntilDone({ clock, retry: RETRY, signal, isRetried: isAway, log }, attempt)
}

async function renew(options: NodeIdentityOptions, current: Identity, signal: AbortSignal): Promise<Identity> {
  const security = { identity: staticSource({ svid: current.svid, bundles: options.trust.bundles() }) }
  const key = await createKeyAndCsr()
  return await ask(options, { security, key }, (authority) => authority.renew(key.csr, signal))
}

interface Asking {
  readonly security: Exclude<ClientSecurity, 'plaintext'>
  /** For which an identity is asked. */
  readonly key: KeyAndCsr
}

async function ask(
  { config, trust, clock }: NodeIdentityOptions,
  { security, key }: Asking,
  call: (authority: AuthorityClient) => Promise<Issued>,
): Promise<Identity> {
  const expect = (spiffeId: string) => isRegistry(spiffeId, config.domain)
  const channel = new Channel(config.registryUrl, {
    security: { ...security, expect },
    who: `the registry of ${config.domain}`,
    clock,
  })
  try {
    const issued = await call(authorityClient(channel))
    const { namesake, aheadMs } = trust // of which only the watch tells
    if (issued.trust !== undefined && issued.isTrustWhole) await trust.update({ ...issued.trust, namesake, aheadMs })
    return identityOf(issued, { key, known: trust.bundles(), clock })
  } finally {
    channel.close()
  }
}

function joiningKeyPath({ path }: NodeIdentityOptions): string {
  return `${path}.joining`
}

function readToken({ config, decodeToken }: NodeIdentityOptions) {
  const { joinTokenFile, domain, name } = config
  const next = `run on the registry's host: nsmctl node invite ${name}; and give its output in NSM_JOIN_TOKEN_FILE`
  if (joinTokenFile === undefined) {
    throw new NsmError('failed_precondition', 'Cannot join the domain: there is neither an identity nor a token', {
      next,
    })
  }
  const text = readTextFile(joinTokenFile)
  const token = decodeToken(text)
  if (token.kind === 'node' && token.domain === domain && token.guest === name) return { ...token, text }
  throw new NsmError('failed_precondition', 'Cannot join the domain: the token is for something else', {
    fields: { kind: token.kind, domain: token.domain, guest: token.guest },
    next,
  })
}

/** The bundles in the file are as old as the identity; since then, domains may have joined or been revoked. */
function withTrust(trust: NodeTrust, kept: Identity | undefined): Identity | undefined {
  const bundles = trust.bundles()
  return kept === undefined || bundles.size === 0 ? kept : { ...kept, bundles }
}

function checkOwn({ domain, name }: NsmdConfig, kept: Identity | undefined): Identity | undefined {
  if (kept === undefined || kept.svid.spiffeId === nodeId(domain, name)) return kept
  throw new NsmError('failed_precondition', 'Cannot use the state directory: it belongs to another node', {
    fields: { kept: kept.svid.spiffeId, wanted: nodeId(domain, name) },
    next: 'give this node a state directory of its own',
  })
}
