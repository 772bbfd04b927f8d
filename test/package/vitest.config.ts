import { defineConfig } from 'vitest/config';

// Tests of the packed package: npm run test:package. They need `npm run build` and scripts/prebuild.mjs.
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/package/*.test.ts'],
    globalSetup: 'test/package/installed.ts',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
