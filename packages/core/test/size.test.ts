/**
 * What the core weighs in a browser's bundle, minified and gzipped: the whole of it, and what is left of it where only
 * one end is imported. The limits leave room for little growth, which should be noticed, and for the order of the modules,
 * which alone makes half a percent.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = join(root, 'dist/index.js');

/** What a program weighs that has this one line, and which packages it took in. */
async function weigh(line: string): Promise<{ readonly octets: number; readonly packages: string[] }> {
  if (!existsSync(entry)) throw new Error('The package is not built: run `npm run build` first');
  const program = '\0program';
  const outputs = await build({
    configFile: false,
    logLevel: 'silent',
    root,
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? program : id === '@sansmtp/core' ? entry : undefined),
        load: (id) => (id === program ? line : undefined),
      },
    ],
    build: {
      write: false,
      minify: true,
      rolldownOptions: { input: 'program', preserveEntrySignatures: 'strict' },
    },
  });
  const { output } = outputs as Rolldown.RolldownOutput;
  const chunks = output.filter((chunk) => chunk.type === 'chunk');
  const packages = chunks
    .flatMap(({ moduleIds }) => moduleIds)
    .flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
  return {
    octets: gzipSync(chunks.map(({ code }) => code).join(''), { level: 9 }).length,
    packages: [...new Set(packages)],
  };
}

it.each([
  ['the whole core', "export * from '@sansmtp/core';", 63.5],
  ['ClientSession', "export { ClientSession } from '@sansmtp/core';", 35],
  ['ServerSession', "export { ServerSession } from '@sansmtp/core';", 45],
  ['readForwardPath', "export { readForwardPath } from '@sansmtp/core';", 5],
])(
  '%s',
  async (_, line, kibibytes) => {
    const { octets, packages } = await weigh(line);
    expect(packages).toEqual([]);
    expect(octets).toBeGreaterThan(500);
    expect(octets).toBeLessThanOrEqual(kibibytes * 1024);
  },
  60_000,
);
