import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As in the other tests: on the sources. The page itself is the built one.
  resolve: { conditions: ['@sansmtp/source'] },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    root: import.meta.dirname,
    include: ['*.browser.ts'],
    // One browser for all.
    isolate: false,
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
