/** Runs the examples among the tests of `@sansmtp/core`'s sessions, and notes which transitions of both charts they take. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@sansmtp/source'] },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    root: `${import.meta.dirname}/../../core`,
    include: ['src/server/*.test.ts', 'src/client/*.test.ts'],
    // Examples only: properties walk at random through all that there is.
    exclude: ['**/{chart,every-state,soundness,session.model,session.properties,session.states}.test.ts'],
    setupFiles: [`${import.meta.dirname}/note-transitions.ts`],
    globalSetup: [`${import.meta.dirname}/write-untaken.ts`],
    testTimeout: 60_000,
    // To load the sources anew for each file would take longer than the tests.
    isolate: false,
  },
});
