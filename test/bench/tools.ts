/** The programs that `hack/bench` builds besides the product, with `-DNSM_BENCH=ON`. */
import { ROOT } from '../lab/lab.ts'

const BUILD = process.env['NSM_BUILD_DIR'] ?? `${ROOT}/pkg/dataplane/native/build`

export const DATAPLANE = process.env['NSM_DATAPLANE'] ?? `${BUILD}/nsm-dataplane`
/** The same dataplane with ciphers that do nothing. */
export const PLAIN_DATAPLANE = `${BUILD}/bench/nsm-dataplane-plain`
export const UDP_LOAD = `${BUILD}/bench/nsm-udp-load`
export const ROUND_TRIP = `${BUILD}/bench/nsm-round-trip`
