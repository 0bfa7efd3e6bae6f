/** Records as JSON, which is what stores keep. Only maps need converting: they become lists of pairs. */
import type { NetworkService, NetworkServiceEndpoint } from '../../api/index.ts'

export interface RecordCodec<T> {
  encode(value: T): string
  decode(text: string): T
}

export const serviceCodec: RecordCodec<NetworkService> = {
  encode: (service) => JSON.stringify(service),
  decode(text) {
    const read = JSON.parse(text)
    // JSON has no undefined: a match without metadata comes back without the property.
    const matches = read.matches.map((match: object) => ({ metadata: undefined, ...match }))
    return { ...read, matches }
  },
}

export const endpointCodec: RecordCodec<NetworkServiceEndpoint> = {
  encode: (endpoint) =>
    JSON.stringify({ ...endpoint, networkServiceLabels: [...endpoint.networkServiceLabels.entries()] }),
  decode(text) {
    const read = JSON.parse(text)
    const times = { expiresMs: undefined, registeredMs: undefined }
    return { ...times, ...read, networkServiceLabels: new Map(read.networkServiceLabels) }
  },
}
