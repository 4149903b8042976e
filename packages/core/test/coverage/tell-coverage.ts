/**
 * After all tests: says how many transitions of both charts their sessions took. The run fails, and names it, if there is one
 * that none took and for which no reason is given, or a reason for one that was taken. A run that leaves out some of core's
 * tests says nothing.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { unreachable as unreachableAtClient } from '../../src/client/chart/unreachable.test-support.js';
import { unreachable as unreachableAtServer } from '../../src/server/chart/unreachable.test-support.js';
import { flawsOf } from './flaws.js';
import { type Coverage, type End, openFolder } from './taken.js';

const core = join(import.meta.dirname, '../../src');
const file = join(import.meta.dirname, '../../../../coverage/transitions.json');

const reasons: Readonly<Record<End, Readonly<Record<string, string>>>> = {
  client: unreachableAtClient,
  server: unreachableAtServer,
};

export default function setup({ vitest }: TestProject): () => void {
  const read = openFolder();
  return () => {
    const coverage = read();
    if (!ranWhole(vitest)) return;
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(coverage, null, 2)}\n`);
    for (const end of ['server', 'client'] as const) {
      const flaws = flawsOf(coverage[end], reasons[end]);
      console.log(`\nThe sessions of the tests took ${wordsOf(coverage[end])} of the ${end}'s chart.`);
      for (const flaw of flaws) console.error(flaw);
      if (flaws.length > 0) process.exitCode = 1;
    }
  };
}

/** All of core's tests, and none of them left out by name. */
function ranWhole({ state, config }: TestProject['vitest']): boolean {
  if (config.testNamePattern !== undefined) return false;
  const ran = new Set(state.getFiles().map(({ filepath }) => filepath));
  return readdirSync(core, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .every((name) => ran.has(join(core, name)));
}

function wordsOf({ taken, untaken }: Coverage): string {
  const all = taken.length + untaken.length;
  const left = untaken.length === 0 ? '' : `, the others for a reason that is given (${untaken.length})`;
  return `${taken.length} of ${all} transitions${left}`;
}
