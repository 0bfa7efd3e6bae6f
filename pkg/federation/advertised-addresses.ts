import { NsmError } from '../base/index.ts'
import { isUnspecified } from '../net/index.ts'

/**
 * The addresses at which nodes and other domains are told to call this registry: as configured, or where it listens.
 * @throws {NsmError} `invalid_argument` when it listens on every address and none is configured: `0.0.0.0` means
 *   something else on each machine.
 */
export function advertisedAddresses(advertise: readonly string[] | undefined, listenOn: string): readonly string[] {
  if (advertise !== undefined && advertise.length > 0) return advertise
  const address = listenOn.replace('tcp://', '')
  if (!isUnspecified(address.replace(/^\[?(.*?)\]?:\d+$/, '$1'))) return [address]
  throw new NsmError('invalid_argument', 'Cannot advertise the registry: NSM_LISTEN_ON is every address', {
    fields: { listenOn },
    next: 'set NSM_ADVERTISE to the host:port under which nodes and other domains reach this registry',
  })
}
