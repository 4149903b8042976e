/**
 * The tests in one folder, and those of both sessions that stand above it, as one file: what they test is loaded once for a mutant. What is quick comes first, since a mutant's
 * run ends with the first test that fails.
 */
import { describe } from 'vitest';

const folder = `../src/${process.env.SANSMTP_MUTATED_FOLDER}/`;

/** They compare a chart with itself, compiled. */
const LEFT_OUT = /\/(server|client)\/chart\.test\.ts$/;

/** Properties, and what goes through all states or all octets, from the quickest to the slowest. */
const SLOW = [
  'session.properties',
  'session.withholding',
  'session.states',
  'session.slowness',
  'session.secrets',
  'session.chunking',
  'every-state',
  'soundness',
  'every-transition',
  'session.model',
  'session.smuggling',
];
const slowness = (name: string) => SLOW.findIndex((slow) => name.includes(slow));

const files = Object.entries(import.meta.glob('../src/**/*.test.ts'))
  .filter(([name]) => (name.startsWith(folder) || /^\.\.\/src\/[^/]*$/.test(name)) && !LEFT_OUT.test(name))
  .sort(([one], [other]) => slowness(one) - slowness(other));
for (const [name, load] of files)
  describe(name.replace('../src/', ''), async () => {
    await load();
  });
