import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { watchCharts } from './packages/core/test/coverage/watch-charts.js';

export default defineConfig({
  plugins: [watchCharts()],
  // Tests run on the sources: packages resolve each other by this export condition, not through dist/.
  resolve: { conditions: ['@sansmtp/source'] },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    // In the end: which transitions of the charts were taken.
    globalSetup: ['packages/core/test/coverage/tell-coverage.ts'],
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    // Properties take a second or two; a busy machine takes many times that.
    testTimeout: 30_000,
    // By default one core would stay idle: on a machine with two, half of them.
    maxWorkers: Math.max(2, availableParallelism()),
  },
});
