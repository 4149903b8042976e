import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const folder = process.env.SANSMTP_MUTATED_FOLDER;

export default defineConfig({
  resolve: {
    conditions: ['@sansmtp/source'],
    alias: [{ find: /^fast-check$/, replacement: fileURLToPath(new URL('few-runs.ts', import.meta.url)) }],
  },
  ssr: { resolve: { conditions: ['@sansmtp/source'], externalConditions: ['node'] } },
  test: {
    // A folder is judged by the tests beside it. What is left out compares a chart with itself, compiled.
    include: [`src/${folder}/**/*.test.ts`],
    exclude: ['src/{server,client}/chart.test.ts'],
    // Each file by itself: what is loaded once, such as a chart, would else keep the fault of the mutant before.
    // Stryker knows how long they took, and ends what takes much longer.
    testTimeout: 600_000,
  },
});
