/** Where the programs under test lie. */
import { fileURLToPath } from 'node:url'

/** The checkout, without a slash at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
/** Where the native programs were built. */
export const BUILD = process.env['NSM_BUILD_DIR'] ?? `${ROOT}/pkg/dataplane/native/build`
export const DATAPLANE = process.env['NSM_DATAPLANE'] ?? `${BUILD}/nsm-dataplane`
export const NSMCTL = `${ROOT}/hack/nsmctl`
