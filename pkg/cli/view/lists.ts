/** The columns of the table for each kind of object. */
import type { domainV1, NetworkService, NetworkServiceEndpoint, nodeV1 } from '../../api/index.ts'
import type { View } from '../output.ts'
import { bytesText, durationText, timestampMs } from './times.ts'

/** The time to which the ages and expiries of a view refer. */
export interface Moment {
  readonly nowMs: number
}

export const services: View<NetworkService> = {
  plural: 'network services',
  columns: [
    { title: 'NAME', text: ({ name }) => name },
    { title: 'PAYLOAD', text: ({ payload }) => payload },
    { title: 'MATCHES', text: ({ matches }) => `${matches.length}` },
    { title: 'OWNER', text: ({ pathIds }) => pathIds[0] ?? '', isWide: true },
  ],
}

export function endpoints({ nowMs }: Moment): View<NetworkServiceEndpoint> {
  return {
    plural: 'endpoints',
    columns: [
      { title: 'NAME', text: ({ name }) => name },
      { title: 'SERVICES', text: ({ networkServiceNames }) => networkServiceNames.join(',') },
      { title: 'URL', text: ({ url }) => url },
      {
        title: 'EXPIRES',
        text: ({ expiresMs }) => (expiresMs === undefined ? 'never' : `in ${durationText(expiresMs - nowMs)}`),
      },
      { title: 'OWNER', text: ({ pathIds }) => pathIds[0] ?? '', isWide: true },
    ],
  }
}

export function wires({ nowMs }: Moment): View<nodeV1.Wire> {
  return {
    plural: 'wires',
    columns: [
      { title: 'ID', text: ({ id }) => id },
      { title: 'SERVICE', text: ({ networkService }) => networkService },
      { title: 'CLIENT', text: ({ client }) => endText(client) },
      { title: 'ENDPOINT', text: ({ server }) => endText(server) },
      {
        title: 'ADDRESSES',
        text: ({ clientAddresses, endpointAddresses }) => `${clientAddresses} - ${endpointAddresses}`,
      },
      { title: 'STATE', text: ({ state }) => state },
      { title: 'FROM CLIENT', text: ({ counters }) => volumeText(counters.get('client_rx_bytes')), isWide: true },
      { title: 'TO CLIENT', text: ({ counters }) => volumeText(counters.get('server_rx_bytes')), isWide: true },
      { title: 'PAYLOAD', text: ({ payload }) => payload, isWide: true },
      { title: 'MTU', text: ({ mtuBytes }) => `${mtuBytes}`, isWide: true },
      { title: 'LINK', text: ({ client, server }) => linkQualityText(client?.path ?? server?.path), isWide: true },
      { title: 'EXPIRES', text: ({ expires }) => leftText(expires, nowMs), isWide: true },
      { title: 'PATH', text: ({ path }) => path.join(' > '), isWide: true },
      { title: 'PROBLEM', text: (wire) => problemText(wire, nowMs) },
    ],
  }
}

function leftText(expires: Parameters<typeof timestampMs>[0], nowMs: number): string {
  const ms = timestampMs(expires)
  return ms === undefined ? '' : durationText(ms - nowMs)
}

/** Why a wire is not up, and of one that is wanted, since when and how often it was asked for. */
function problemText({ problem, pending }: nodeV1.Wire, nowMs: number): string {
  if (pending === undefined) return problem
  const { since, tries, nextTry } = pending
  const again = nextTry === undefined ? [] : [`again in ${leftText(nextTry, nowMs)}`]
  const asked = [`for ${durationText(nowMs - (timestampMs(since) ?? nowMs))}`, `asked ${tries} times`, ...again]
  return `${problem} (${asked.join(', ')})`
}

/** Wires within a node are veth pairs of the kernel, for which the dataplane has no counters. */
function volumeText(bytes: bigint | undefined): string {
  return bytes === undefined ? '' : bytesText(bytes)
}

function endText(end: nodeV1.WireEnd | undefined): string {
  if (end === undefined) return ''
  if (end.interface !== '') return `${end.mechanism.toLowerCase()} ${end.interface}`
  return [end.mechanism.toLowerCase(), end.peer, end.aead, end.session].filter((part) => part !== '').join(' ')
}

/** Round-trip time and jitter, loss, and the largest packet that gets through. */
function linkQualityText(quality: nodeV1.PathHealth | undefined): string {
  if (quality === undefined || quality.state !== 'up') return quality?.state ?? ''
  const ms = (us: number) => (us / 1000).toFixed(1)
  const loss = `${(quality.lossPpm / 10_000).toFixed(1)} % lost`
  return `${ms(quality.rttUs)} ms +-${ms(quality.jitterUs)}, ${loss}, ${quality.mtuBytes} bytes`
}

export function nodes({ nowMs }: Moment): View<domainV1.NodeRecord> {
  return {
    plural: 'nodes',
    columns: [
      { title: 'NAME', text: ({ name }) => name },
      { title: 'STATE', text: ({ revoked }) => (revoked ? 'revoked' : 'trusted') },
      { title: 'JOINED', text: ({ joined }) => ago(joined, nowMs) },
      { title: 'RENEWED', text: ({ renewed }) => ago(renewed, nowMs) },
      { title: 'ADDRESS', text: ({ url }) => url, isWide: true },
      { title: 'IDENTITY', text: ({ spiffeId }) => spiffeId, isWide: true },
      {
        title: 'PROBLEM',
        text: ({ namesake }) => (namesake === '' ? '' : `another machine runs under this name, at ${namesake}`),
      },
    ],
  }
}

export function domains({ nowMs }: Moment): View<domainV1.Domain> {
  return {
    plural: 'joined domains',
    columns: [
      { title: 'NAME', text: ({ name }) => name },
      { title: 'REGISTRY', text: ({ addresses }) => addresses.join(',') },
      { title: 'JOINED', text: ({ joined }) => ago(joined, nowMs) },
      { title: 'EXPORTED TO IT', text: ({ exportedServices }) => exportedServices.join(',') },
      {
        title: 'ONLY WHEN',
        text: ({ exportedWhen }) => [...exportedWhen].map(([service, when]) => `${service}: ${when}`).join('; '),
        isWide: true,
      },
      { title: 'PROBLEM', text: ({ problem }) => problem },
    ],
  }
}

function ago(time: Parameters<typeof timestampMs>[0], nowMs: number): string {
  const ms = timestampMs(time)
  return ms === undefined ? '' : `${durationText(nowMs - ms)} ago`
}
