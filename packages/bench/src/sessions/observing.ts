/**
 * What it costs that a session can be observed, where nobody observes it: the core as it is against a copy into which nothing of
 * observing was compiled. Both are bundled alike, and each runs mail transactions in a process of its own, in turn.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Rolldown } from 'vite';
import { median, report } from '../results.js';

const run = promisify(execFile);

const TIMED = fileURLToPath(new URL('timed-transactions.js', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../core/dist/index.js', import.meta.url));

/** Whoever observes stands in fields of this name. An assignment to one stays: its value is asked for nowhere. */
const ASKED_FOR = /[\w.#]{1,20}\.#?observing(?!\w| = )/g;

/** Fewer would mean that the sources call it otherwise by now, and that nothing was left out. */
const LEAST_PLACES = 20;

/** @returns whether the bar was met */
export async function compareObserving(rounds: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-bench-'));
  try {
    const [withIt, without, again] = ['with.mjs', 'without.mjs', 'again.mjs'].map((file) =>
      join(folder, file),
    ) as [string, string, string];
    await writeFile(withIt, await bundle(true));
    const stripped = await bundle(false);
    await Promise.all([without, again].map((file) => writeFile(file, stripped)));

    const times = { cost: [] as number[], noise: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      const base = await secondsOf(without);
      times.cost.push((await secondsOf(withIt)) / base);
      times.noise.push((await secondsOf(again)) / base);
    }
    return report('observing', [
      {
        measure: 'no observer, against observing not compiled in: processor time',
        value: median(times.cost),
        unit: '×',
        bar: 1.03,
      },
      { measure: 'that without observing, against itself', value: median(times.noise), unit: '×' },
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function secondsOf(module: string): Promise<number> {
  const { stdout } = await run(process.execPath, [TIMED, module]);
  return Number(stdout);
}

async function bundle(observing: boolean): Promise<string> {
  let places = 0;
  const outputs = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [
      {
        name: 'observing',
        transform: (code) =>
          observing
            ? undefined
            : code.replace(ASKED_FOR, () => {
                places += 1;
                return '(void 0)';
              }),
      },
    ],
    build: {
      write: false,
      minify: true,
      target: 'node20',
      rolldownOptions: { input: MODULES, preserveEntrySignatures: 'strict' },
    },
  });
  if (!observing && places < LEAST_PLACES) throw new Error(`Observing is asked for in ${places} places only`);
  const { output } = outputs as Rolldown.RolldownOutput;
  return output[0].code;
}
