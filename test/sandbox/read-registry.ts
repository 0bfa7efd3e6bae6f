/** What a registry tells its operator, over its admin socket. */
import { authorityV1, type NetworkService, type NetworkServiceEndpoint } from '../../pkg/api/index.ts'
import { NsmError } from '../../pkg/base/index.ts'
import { joinParts, type TrustState } from '../../pkg/node/index.ts'
import { type Channel, clientOf, endpointRegistryClient, serviceRegistryClient } from '../../pkg/rpc/index.ts'

const soon = () => ({ signal: AbortSignal.timeout(10_000) })

export async function registeredAt(channel: Channel): Promise<readonly (NetworkService | NetworkServiceEndpoint)[]> {
  const found: (NetworkService | NetworkServiceEndpoint)[] = []
  const services = serviceRegistryClient(channel).find({ service: {}, watch: false }, soon())
  for await (const { value } of services) found.push(value)
  const endpoints = endpointRegistryClient(channel).find({ endpoint: {}, watch: false }, soon())
  for await (const { value } of endpoints) found.push(value)
  return found
}

export async function trustStateAt(channel: Channel): Promise<TrustState> {
  const stop = new AbortController()
  try {
    const run = { url: '', instance: '' }
    const parts: authorityV1.TrustState[] = []
    for await (const part of clientOf(authorityV1.AuthorityService, channel).watchTrust(run, { signal: stop.signal })) {
      parts.push(part)
      if (!part.continues) return joinParts(parts)
    }
    throw new NsmError('unavailable', 'Cannot read the trust state: the registry sent none')
  } finally {
    stop.abort()
  }
}
