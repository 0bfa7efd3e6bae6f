import { NsmError } from '../base/index.ts'
import { type NsmUrl, parseNsmUrls, sharedInterface } from '../mechanism/index.ts'

/**
 * Parses the network services of a workload: at least one URL, and each with a different interface.
 * @throws {NsmError} `invalid_argument` with a hint on what to change
 */
export function parseNetworkServices(text: string): readonly NsmUrl[] {
  const urls = parseNsmUrls(text)
  if (urls.length === 0) throw new NsmError('invalid_argument', 'Cannot start: NSM_NETWORK_SERVICES contains no URL')
  const twice = sharedInterface(urls)
  if (twice === undefined) return urls
  throw new NsmError('invalid_argument', 'Cannot start: two network services have the same interface', {
    fields: { interface: twice },
    next: 'use a different interface in each URL of NSM_NETWORK_SERVICES',
  })
}
