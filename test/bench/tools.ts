/** The programs that `hack/bench` builds besides the product, with `-DNSM_BENCH=ON`. */
import { BUILD } from '../lab/programs.ts'

/** The dataplane with ciphers that do nothing. */
export const PLAIN_DATAPLANE = `${BUILD}/bench/nsm-dataplane-plain`
export const UDP_LOAD = `${BUILD}/bench/nsm-udp-load`
export const ROUND_TRIP = `${BUILD}/bench/nsm-round-trip`
