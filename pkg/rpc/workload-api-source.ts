/** An identity source that follows the SPIFFE Workload API, ours or that of SPIRE. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { parseSpiffeId, workloadProto } from '../api/index.ts'
import { type Clock, describeError, followStream, type Logger, NsmError, Scope } from '../base/index.ts'
import {
  type Identity,
  type IdentitySource,
  readBundle,
  splitCertificates,
  staticSource,
  verifySvid,
} from '../identity/index.ts'
import { Channel } from './channel.ts'
import { clientOf } from './client.ts'

const RETRY = { firstMs: 250, maxMs: 10_000 }

export interface WorkloadApiOptions {
  /** `unix:///path`, as in SPIFFE_ENDPOINT_SOCKET. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** Cancels the wait for the first identity. */
  readonly signal: AbortSignal
}

/** Resolves with the first identity. Logs and retries while the Workload API is unreachable or has none for us. */
export async function workloadApiSource(options: WorkloadApiOptions): Promise<IdentitySource> {
  const scope = new Scope()
  const channel = scope.own(
    new Channel(options.url, { security: 'plaintext', clock: options.clock, who: 'the Workload API' }),
  )
  const identities = receiveIdentities(channel, options, scope.signal)
  const first = await firstOf(identities, options.signal).catch(async (error: unknown) => {
    await scope.close()
    throw error
  })
  const source = staticSource(first)
  const running = replaceWith(identities, source.replace)
  return {
    ...source,
    async close() {
      await scope.close()
      await running
      await source.close()
    },
  }
}

async function firstOf(identities: AsyncGenerator<Identity>, signal: AbortSignal): Promise<Identity> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const { value, done } = await Promise.race([identities.next(), aborted.promise])
    if (done !== true) return value
    throw new NsmError('cancelled', 'Cannot get the identity: the source is closing')
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function replaceWith(identities: AsyncIterable<Identity>, replace: (identity: Identity) => void): Promise<void> {
  for await (const identity of identities) replace(identity)
}

/** Returns when `signal` aborts. */
async function* receiveIdentities(
  channel: Channel,
  { url, clock, logger }: WorkloadApiOptions,
  signal: AbortSignal,
): AsyncGenerator<Identity> {
  const workloadApi = clientOf(workloadProto.SpiffeWorkloadAPIService, channel, { 'workload.spiffe.io': 'true' })
  const log = { logger: logger.with({ url }), message: 'Cannot get an identity from the Workload API, retrying' }
  yield* followStream({ clock, retry: RETRY, signal, log }, async function* () {
    for await (const response of workloadApi.fetchX509Svid({}, { isEndless: true, signal })) {
      yield readIdentity(response, { logger, nowMs: clock.nowMs() })
    }
  })
}

interface Reading {
  readonly logger: Logger
  readonly nowMs: number
}

/** @throws {NsmError} when the SVID cannot be verified with its own bundle */
function readIdentity(
  { svids, federatedBundles }: workloadProto.X509SVIDResponse,
  { logger, nowMs }: Reading,
): Identity {
  const [svid] = svids
  if (svid === undefined) throw new NsmError('unavailable', 'Cannot use the identity: the Workload API returned none')
  const { trustDomain } = parseSpiffeId(svid.spiffeId)
  const others = readFederated(federatedBundles, logger).filter(([domain]) => domain !== trustDomain)
  const bundles = new Map([[trustDomain, readBundle(svid.bundle, trustDomain)], ...others])
  const chain = splitCertificates(svid.x509Svid)
  const { spiffeId, expiresMs } = verifySvid(chain, bundles, nowMs)
  if (spiffeId.id !== svid.spiffeId)
    throw new NsmError('unauthenticated', 'Cannot use the identity: its certificate has another SPIFFE ID')
  const privateKey = createPrivateKey({ key: svid.x509SvidKey, format: 'der', type: 'pkcs8' })
  checkKey(privateKey)
  return { svid: { spiffeId: spiffeId.id, chain, privateKey, expiresMs }, bundles }
}

/** Path tokens are signed with it, and NSM's are ES256. */
function checkKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void {
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return
  throw new NsmError('failed_precondition', 'Cannot use the identity: its key is not EC P-256', {
    next: 'have the agent make such keys; SPIRE does where workload_x509_svid_key_type is "ec-p256"',
  })
}

/**
 * A domain whose bundle cannot be read has no authority: nothing of it is trusted, also where it has introduced
 * authorities itself. The other domains are not its hostages.
 */
function readFederated(
  federated: workloadProto.X509SVIDResponse['federatedBundles'],
  logger: Logger,
): readonly (readonly [string, readonly Uint8Array[]])[] {
  return [...federated].map(([id, bundle]) => {
    const { trustDomain } = parseSpiffeId(id)
    try {
      return [trustDomain, readBundle(bundle, trustDomain)]
    } catch (error) {
      logger.warn('Cannot use the bundle of a federated domain: nothing of it is trusted', {
        error: describeError(error),
        domain: trustDomain,
        next: 'ask the operator of that domain for authorities that RFC 5280 allows',
      })
      return [trustDomain, []]
    }
  })
}
