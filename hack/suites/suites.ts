/** Every suite, in the order in which they run: what fails soonest first, and what waits a lot while others build. */
import { BUILD, ROOT } from '../../test/lab/programs.ts'
import { type BuildName, type Builds, SANITIZED, THREADS } from './builds.ts'
import { ctest, vitest } from './reports.ts'
import { add, type Count, MINUTE_MS, succeed } from './run.ts'

export interface Suite {
  readonly name: string
  readonly needs: readonly BuildName[]
  /** Runs only where it is named: it takes long, or what it needs takes long to build. */
  readonly isOnRequest?: boolean
  run(builds: Builds): Promise<Count>
}

const STYLE = ['format', 'types', 'protos', 'layers', 'texts', 'references', 'unused', 'scripts', 'native']
/** Tests of the dataplane at its limits, and of how long it takes for something. */
const LOADED = '^engine-(flood|rekey|roaming|two|hostile|priority|starved|link)|^bench-'
/** In which the engine's threads meet: load both ways, keys that change, paths, an engine that ends. */
const THREADED = '^engine-(two-aes|is-away|hostile|roaming|rekey)$'

export const SUITES: readonly Suite[] = [
  { name: 'style', needs: [], run: () => succeed(...STYLE.map((part) => [`${ROOT}/hack/check`, part])) },
  { name: 'unit', needs: [], run: () => vitest('unit') },
  { name: 'native', needs: ['dataplane'], run: (builds) => native(BUILD, builds) },
  { name: 'mesh', needs: ['dataplane'], run: mesh },
  { name: 'demo', needs: ['dataplane'], run: () => succeed([`${ROOT}/hack/demo`, '--check']) },
  { name: 'sanitized', needs: ['sanitized'], run: (builds) => native(SANITIZED, builds) },
  { name: 'threads', needs: ['threads'], run: () => ctest(THREADS, { only: THREADED }) },
  { name: 'fuzz', needs: ['fuzz'], run: () => succeed([`${ROOT}/hack/fuzz`, '--replay']) },
  { name: 'smoke', needs: ['dataplane', 'fuzz'], run: () => vitest('smoke') },
  { name: 'soak', needs: ['dataplane'], isOnRequest: true, run: soak },
  { name: 'peers', needs: ['dataplane'], isOnRequest: true, run: () => vitest('peers') },
  { name: 'kubernetes', needs: ['dataplane'], isOnRequest: true, run: () => vitest('kubernetes') },
  { name: 'tidy', needs: ['tidy'], run: async () => ({ passed: 1, failed: 0 }) },
]

async function native(build: string, builds: Builds): Promise<Count> {
  const relaxed = await ctest(build, { except: LOADED, atOnce: 2 })
  return add(relaxed, await builds.quietly(() => ctest(build, { only: LOADED })))
}

/** Two files at once, as most of the time they wait; then those that measure times, one after the other. */
async function mesh(): Promise<Count> {
  return add(await vitest('mesh', { atOnce: 2 }), await vitest('timed'))
}

/** As long as it is told, besides what comes before and after. */
function soak(): Promise<Count> {
  const seconds = Number(process.env['NSM_SOAK_SECONDS'] ?? 0)
  return vitest('soak', { limitMs: seconds * 1_000 + 12 * MINUTE_MS })
}
