/**
 * The examples of the documents, run as they are printed, against the built packages, like those of a newcomer. One is a
 * block of JavaScript below a line `<!-- example: name -->`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, vi } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const EXAMPLE = /<!-- example: (\w+) -->\n```js\n([\s\S]*?)```/g;

/**
 * For the whole of a test file: writes the examples out before its tests, and ends what still runs after them.
 * @param documents paths below the workspace
 */
export function examplesOf(...documents: string[]) {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sansmtp-examples-'));
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const document of documents) {
      const text = await readFile(join(root, document), 'utf8');
      for (const [, name, code] of text.matchAll(EXAMPLE)) {
        await writeFile(join(folder, `${name}.mjs`), code ?? '', { flag: 'wx' }); // no two of one name
      }
    }
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  function start(name: string, environment: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [join(folder, `${name}.mjs`)], {
      env: { ...process.env, ...environment },
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }

  return {
    /** Where they were written. */
    folderOf: () => folder,

    /** What the example prints until it ends. */
    async run(name: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
      const child = start(name, environment);
      let printed = '';
      for await (const chunk of child.stdout) printed += chunk;
      if (child.exitCode === null) await once(child, 'exit');
      expect(child.exitCode).toBe(0);
      return printed;
    },

    /** Starts an example that listens: its port, and how to wait for what it prints and to end it. */
    async listen(name: string, environment: Readonly<Record<string, string>> = {}) {
      let printed = '';
      const child = start(name, { PORT: '0', ...environment });
      child.stdout.on('data', (chunk) => {
        printed += chunk;
      });
      const until = (pattern: RegExp) =>
        vi.waitFor(
          () => pattern.exec(printed)?.[1] ?? Promise.reject(new Error(`Printed so far: ${printed}`)),
          10_000,
        );
      /** Sends a signal; with SIGTERM, resolves with the exit code. */
      const signal = async (which: 'SIGHUP' | 'SIGTERM') => {
        child.kill(which);
        if (which === 'SIGTERM' && child.exitCode === null) await once(child, 'exit');
        return child.exitCode;
      };
      const address = await until(/listening on (?:port )?(\S+)\n/);
      return { port: Number(address), folder, until, signal };
    },
  };
}
