/** What a network service carries, as NSM v1 writes it. */
export const PAYLOAD_IP = 'IP'
export const PAYLOAD_ETHERNET = 'ETHERNET'

export type Payload = typeof PAYLOAD_IP | typeof PAYLOAD_ETHERNET

export function isPayload(text: string): text is Payload {
  return text === PAYLOAD_IP || text === PAYLOAD_ETHERNET
}
