import { defineConfig } from 'vitest/config';

// Apart from `npm test`: these run the built command and other people's programs, and take their time.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.interop.ts'],
    // Names each test, so that one sees what was skipped and why.
    reporters: ['verbose'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Most of the time a test waits for other processes, and every one has ports and folders of its own.
    maxWorkers: 3,
  },
});
