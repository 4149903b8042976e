/** docs/testing.md: its tests are run as a newcomer runs them, and pass. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { run, folderOf } = examplesOf('docs/testing.md');

describe('docs/testing.md', () => {
  it.each([
    ["run('inbox')", () => run('inbox'), 2],
    ["run('script')", () => run('script'), 2],
    ["run('time')", () => run('time'), 1],
    ["run('properties')", () => run('properties'), 1],
    ["run('pair')", () => run('pair'), 1],
    ["run('generated')", () => run('generated'), 1],
    ["run('model')", () => run('model'), 1],
    ["run('conformance')", () => run('conformance'), 33],
  ])('%s passes', async (_, printed, tests) => {
    expect(await printed()).toMatch(new RegExp(`pass ${tests}\\n`));
  });

  it('has matchers for vitest (example: matchers )', async () => {
    await copyFile(join(folderOf(), 'matchers.mjs'), join(folderOf(), 'matchers.test.mjs'));
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--root', folderOf()], {
      stdio: 'pipe',
      env: bare(),
    });
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += chunk));
    child.stderr.on('data', (chunk) => (printed += chunk));
    const [code] = await once(child, 'close');
    expect(printed).toContain('1 passed');
    expect(code).toBe(0);
  }, 240_000); // a vitest beside the one that runs this
});

/** Not that of the vitest that runs this. */
function bare(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^VITEST|^TEST$|^NODE_ENV$/.test(name)),
  );
}
