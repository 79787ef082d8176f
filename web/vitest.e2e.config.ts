import { defineConfig } from 'vitest/config'

// Browser tests against a running `magpie serve` (MAGPIE_URL) whose collection holds the example shop's crawl.
// One file at a time: they share the server, and a crawl in one must not change the totals another is reading.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.e2e.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
    globalSetup: ['e2e/support/server.ts'],
  },
})
