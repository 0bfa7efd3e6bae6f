/**
 * Who this node is. By default its domain's authority says so: once for a one-time token, from then on for the identity
 * that it has, kept on disk. With SPIFFE_ENDPOINT_SOCKET another agent says it, and nothing else changes.
 */
import { authorityV1 } from '../../api/index.ts'
import { Backoff, type Clock, describeError, errorCode, NsmError } from '../../base/index.ts'
import { type NsmdConfig, readTextFile } from '../../config/index.ts'
import { decodeToken } from '../../federation/index.ts'
import {
  createKeyAndCsr,
  type Identity,
  type IdentitySource,
  identityFile,
  type KeyAndCsr,
  renewingSource,
  staticSource,
  verifySvid,
} from '../../identity/index.ts'
import { isRegistry, nodeId } from '../../policy/index.ts'
import { Channel, type ClientSecurity, clientOf, workloadApiSource } from '../../rpc/index.ts'
import type { Surroundings } from '../run-program.ts'
import { bundlesOf, type NodeTrust } from './node-trust.ts'

export interface NodeIdentityOptions extends Surroundings {
  readonly config: NsmdConfig
  readonly trust: NodeTrust
  /** Where it is kept. */
  readonly path: string
}

export async function nodeIdentity(options: NodeIdentityOptions): Promise<IdentitySource> {
  const { config, trust, path, clock, logger, signal } = options
  if (config.spiffeSocket !== undefined) return workloadApiSource({ url: config.spiffeSocket, clock, logger, signal })
  const file = identityFile(path)
  const source = await renewingSource({
    obtain: (current, until) => (current === undefined ? join(options, until) : renew(options, current, until)),
    load: async () => withTrust(trust, checkOwn(config, await file.load())),
    save: file.save,
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

/** Waits for a registry that is away; what it refuses is final. */
async function join(options: NodeIdentityOptions, signal: AbortSignal): Promise<Identity> {
  const { config, clock, logger } = options
  const token = readToken(config)
  const backoff = new Backoff({ firstMs: 200, mostMs: 5_000 })
  for (;;) {
    try {
      const security = { authoritySha256: Buffer.from(token.fingerprint, 'base64url') }
      return await ask(options, security, (authority, csr) =>
        authority.joinNode({ token: token.text, csr }, { signal }),
      )
    } catch (error) {
      if (signal.aborted || errorCode(error) !== 'unavailable') throw error
      logger.warn('Cannot join the domain yet: the registry is away', { error: describeError(error) })
    }
    await clock.sleep(backoff.next(), signal)
  }
}

function renew(options: NodeIdentityOptions, current: Identity, signal: AbortSignal): Promise<Identity> {
  const identity = staticSource({ svid: current.svid, bundles: options.trust.bundles() })
  return ask(options, { identity }, (authority, csr) => authority.renew({ csr }, { signal }))
}

type Authority = ReturnType<typeof clientOf<typeof authorityV1.AuthorityService>>

async function ask(
  { config, trust, clock }: NodeIdentityOptions,
  security: Exclude<ClientSecurity, 'plaintext'>,
  call: (authority: Authority, csr: Buffer) => Promise<authorityV1.IdentityResponse>,
): Promise<Identity> {
  const expect = (spiffeId: string) => isRegistry(spiffeId, config.domain)
  const channel = new Channel(config.registryUrl, { security: { ...security, expect }, clock })
  try {
    const key = await createKeyAndCsr()
    const response = await call(clientOf(authorityV1.AuthorityService, channel), Buffer.from(key.csr))
    if (response.trust !== undefined) await trust.update(response.trust)
    return toIdentity(response, key, clock)
  } finally {
    channel.close()
  }
}

/** @throws {NsmError} when it is not an identity that its own authority verifies. */
export function toIdentity(response: authorityV1.IdentityResponse, key: KeyAndCsr, clock: Clock): Identity {
  const bundles = bundlesOf(authorityV1.TrustState.fromPartial(response.trust ?? {}))
  const { spiffeId, expiresMs } = verifySvid(response.chain, bundles, clock.nowMs())
  return { svid: { spiffeId: spiffeId.id, chain: response.chain, privateKey: key.privateKey, expiresMs }, bundles }
}

function readToken({ joinTokenFile, domain, name }: NsmdConfig) {
  const next = `run on the registry's host: nsmctl node invite ${name}; and give its output in NSM_JOIN_TOKEN_FILE`
  if (joinTokenFile === undefined) {
    throw new NsmError('failed_precondition', 'Cannot join the domain: there is neither an identity nor a token', {
      next,
    })
  }
  const text = readTextFile(joinTokenFile)
  const token = decodeToken(text)
  if (token.kind === 'node' && token.domain === domain && token.node === name) return { ...token, text }
  throw new NsmError('failed_precondition', 'Cannot join the domain: the token is for something else', {
    fields: { kind: token.kind, domain: token.domain, node: token.node },
    next,
  })
}

/** The file's bundles are as old as the identity; domains may have joined, or been revoked, since. */
function withTrust(trust: NodeTrust, kept: Identity | undefined): Identity | undefined {
  const bundles = trust.bundles()
  return kept === undefined || bundles.size === 0 ? kept : { ...kept, bundles }
}

function checkOwn({ domain, name }: NsmdConfig, kept: Identity | undefined): Identity | undefined {
  if (kept === undefined || kept.svid.spiffeId === nodeId(domain, name)) return kept
  throw new NsmError('failed_precondition', 'Cannot use the state directory: it is of another node', {
    fields: { kept: kept.svid.spiffeId, wanted: nodeId(domain, name) },
    next: 'give this node a state directory of its own',
  })
}
