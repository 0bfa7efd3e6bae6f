import { defineConfig } from 'vitest/config'

/** Need neither root nor built programs. */
const UNIT = ['{pkg,cmd,hack}/**/*.test.ts', 'test/{bench,lab}/**/*.test.ts']
const SMOKE = ['test/smoke/**/*.test.ts']
/** Of how long something takes: one file after the other, while the rest of the mesh's tests share the machine. */
const TIMED = [
  'test/scenario/**/*.test.ts',
  'test/attack/budget-*.test.ts',
  'test/e2e/churn.test.ts',
  'test/netns/forwarder.test.ts',
  'test/sandbox/{heal,many-wires,moved-address}.test.ts',
]
/** Long, or of times that need a machine of their own. */
const SOAK = ['test/soak/**/*.test.ts', 'test/attack/budget-latency.test.ts']
/** Beside real programs of others: hack/test peers builds them first. */
const PEERS = ['test/peers/**/*.test.ts']
/** On real Kubernetes: hack/test kubernetes builds it first. */
const KUBERNETES = ['test/kubernetes/**/*.test.ts']
const NEVER = ['**/node_modules/**', '**/build*/**']

export default defineConfig({
  test: {
    // A log has no use for what a terminal redraws.
    reporters: [process.stdout.isTTY ? 'default' : 'minimal'],
    testTimeout: 20_000,
    restoreMocks: true,
    projects: [
      { extends: true, test: { name: 'unit', include: UNIT, exclude: NEVER } },
      {
        extends: true,
        test: {
          name: 'mesh',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...UNIT, ...TIMED, ...SMOKE, ...SOAK, ...PEERS, ...KUBERNETES],
        },
      },
      { extends: true, test: { name: 'timed', include: TIMED, exclude: [...NEVER, ...SOAK] } },
      { extends: true, test: { name: 'soak', include: SOAK, exclude: NEVER } },
      { extends: true, test: { name: 'peers', include: PEERS, exclude: NEVER } },
      { extends: true, test: { name: 'kubernetes', include: KUBERNETES, exclude: NEVER } },
      { extends: true, test: { name: 'smoke', include: SMOKE, exclude: NEVER } },
    ],
  },
})
