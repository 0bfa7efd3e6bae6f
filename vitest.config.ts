import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{pkg,cmd,hack,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/build*/**'],
    testTimeout: 20_000,
    restoreMocks: true,
  },
})
