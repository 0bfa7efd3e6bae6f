/** An identity kept fresh by the SPIFFE Workload API: ours, or SPIRE's. */
import { createPrivateKey } from 'node:crypto'
import { workloadProto } from '../api/index.ts'
import { type Clock, followStream, type Logger, NsmError, Scope } from '../base/index.ts'
import {
  type Identity,
  type IdentitySource,
  parseSpiffeId,
  splitCertificates,
  staticSource,
  verifySvid,
} from '../identity/index.ts'
import { Channel } from './channel.ts'
import { clientOf } from './client.ts'

const RETRY = { firstMs: 250, maxMs: 10_000 }

export interface WorkloadApiOptions {
  /** `unix:///path`, as SPIFFE_ENDPOINT_SOCKET says it. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** Ends the wait for the first identity. */
  readonly signal: AbortSignal
}

/** Resolves with the first identity; waits, and says so, while the Workload API is away or has none for us yet. */
export async function workloadApiSource(options: WorkloadApiOptions): Promise<IdentitySource> {
  const scope = new Scope()
  const channel = scope.own(new Channel(options.url, { security: 'plaintext', clock: options.clock }))
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
    throw new NsmError('cancelled', 'Cannot get identity: closing')
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function replaceWith(identities: AsyncIterable<Identity>, replace: (identity: Identity) => void): Promise<void> {
  for await (const identity of identities) replace(identity)
}

/** Ends, without an error, when `signal` says so. */
async function* receiveIdentities(
  channel: Channel,
  { url, clock, logger }: WorkloadApiOptions,
  signal: AbortSignal,
): AsyncGenerator<Identity> {
  const workloadApi = clientOf(workloadProto.SpiffeWorkloadAPIService, channel, { 'workload.spiffe.io': 'true' })
  const onFailure = (error: unknown) => logger.warn('Cannot get an identity from the Workload API yet', { error, url })
  yield* followStream({ clock, retry: RETRY, signal, onFailure }, async function* () {
    for await (const response of workloadApi.fetchX509Svid({}, { signal })) yield readIdentity(response, clock.nowMs())
  })
}

/** @throws {NsmError} when it is not an identity that its own bundle verifies */
function readIdentity({ svids, federatedBundles }: workloadProto.X509SVIDResponse, nowMs: number): Identity {
  const [svid] = svids
  if (svid === undefined) throw new NsmError('unavailable', 'Cannot use identity: the Workload API gave none')
  const { trustDomain } = parseSpiffeId(svid.spiffeId)
  const bundles = new Map([[trustDomain, splitCertificates(svid.bundle)]])
  for (const [domain, bundle] of federatedBundles) {
    bundles.set(parseSpiffeId(domain).trustDomain, splitCertificates(bundle))
  }
  const chain = splitCertificates(svid.x509Svid)
  const { spiffeId, expiresMs } = verifySvid(chain, bundles, nowMs)
  if (spiffeId.id !== svid.spiffeId) throw new NsmError('unauthenticated', 'Cannot use identity: it names another')
  const privateKey = createPrivateKey({ key: svid.x509SvidKey, format: 'der', type: 'pkcs8' })
  return { svid: { spiffeId: spiffeId.id, chain, privateKey, expiresMs }, bundles }
}
