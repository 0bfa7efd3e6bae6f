/** What both implementations of the dataplane's door demand of its objects. */
import { NsmError } from '../base/index.ts'
import type { PortSpec, WireSpec } from './door.ts'

const MAX_VNI = 2 ** 24 - 1
const KEY_BYTES = 32

/** @throws {NsmError} `invalid_argument` unless `id` is 1 to 64 characters of [A-Za-z0-9._:-] */
export function checkId(id: string): string {
  if (/^[A-Za-z0-9._:-]{1,64}$/.test(id)) return id
  throw new NsmError(
    'invalid_argument',
    'Cannot name the dataplane object: its id is not 1-64 of A-Z a-z 0-9 . _ : -',
    {
      fields: { id: id.slice(0, 80) },
    },
  )
}

/** @throws {NsmError} `invalid_argument` */
export function checkWire({ id, ports }: WireSpec): void {
  for (const name of [id, ...ports]) checkId(name)
  if (ports[0] === ports[1]) throw refuse(id, 'a wire joins two different ports')
}

/** @throws {NsmError} `invalid_argument` */
export function checkPort(spec: PortSpec): void {
  checkId(spec.id)
  if (spec.kind === 'vxlan' && !(Number.isInteger(spec.vni) && spec.vni > 0 && spec.vni <= MAX_VNI)) {
    throw refuse(spec.id, 'its VNI is not 1 to 2^24 - 1')
  }
  if (spec.kind !== 'wireguard') return
  const keys = [spec.privateKey, spec.peerResponderKey, spec.peerInitiatorKey]
  if (spec.payload === 'ETHERNET' && spec.localPrefixes.length + spec.remotePrefixes.length > 0) {
    throw refuse(spec.id, 'frames are held to no addresses')
  }
  if (keys.some((key) => key.length !== KEY_BYTES)) throw refuse(spec.id, 'a key is not 32 bytes long')
}

function refuse(id: string, state: string): NsmError {
  return new NsmError('invalid_argument', `Cannot set the dataplane object: ${state}`, { fields: { id } })
}
