import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    conditions: ['@sansmtp/source'],
    alias: [{ find: /^fast-check$/, replacement: fileURLToPath(new URL('few-runs.ts', import.meta.url)) }],
  },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    include: ['mutation/together.test.ts'],
    // Stryker knows how long they took, and ends what takes much longer.
    testTimeout: 600_000,
  },
});
