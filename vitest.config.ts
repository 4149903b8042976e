import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { watchCharts } from './packages/core/test/coverage/watch-charts.js';

/** These replace a module that others load as well, or look at what the process has: memory, sockets, flags. */
const ALONE = [
  'packages/cli/src/users/authentication-secret.test.ts',
  'packages/core/test/purity.test.ts',
  'packages/delivery/src/maildir/maildir.test.ts',
  'packages/delivery/test/delivering.test.ts',
  'packages/transport-memory/test/server-memory.test.ts',
  'packages/transport-node/src/**/*.test.ts',
];

export default defineConfig({
  plugins: [watchCharts()],
  // Tests run on the sources: packages resolve each other by this export condition, not through dist/.
  resolve: { conditions: ['@sansmtp/source'] },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    // Properties take a second or two; a busy machine takes many times that.
    testTimeout: 30_000,
    // By default one core would stay idle: on a machine with two, half of them.
    maxWorkers: Math.max(2, availableParallelism()),
    // To load what is tested takes half of the time where each file does it anew: so files share a process, and leave no
    // trace in it.
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          // In the end: which transitions of the charts were taken.
          globalSetup: ['packages/core/test/coverage/tell-coverage.ts'],
          include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
});
