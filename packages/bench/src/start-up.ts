/**
 * How much later than bare Node the command has said its version, `serve` listens, and `@sansmtp/core` is imported: medians of
 * pairs, each of which was run right after the other.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Measurement, median, report } from './results.js';

const COMMAND = fileURLToPath(new URL('../../cli/bin/sansmtp.js', import.meta.url));
const CORE = import.meta.resolve('@sansmtp/core');

/** Stays after it has printed, so that what it has used of the processors can be read. */
const STAY = 'setTimeout(() => {}, 60_000)';
const BARE = ['-e', `console.log('ready'); ${STAY}`];

const CASES = [
  { measure: '`sansmtp --version`', args: [COMMAND, '--version'], bar: 110, goal: 50 },
  {
    measure: '`sansmtp serve` to listening',
    args: [COMMAND, 'serve', '--discard', '--port', '0'],
    bar: 180,
    goal: 100,
  },
  {
    measure: "`import '@sansmtp/core'`",
    args: ['--input-type=module', '-e', `import '${CORE}'; console.log('ready'); ${STAY}`],
    bar: 80,
    goal: 30,
  },
] as const;

interface Start {
  readonly milliseconds: number;
  readonly processor: number;
}

/** @returns whether every bar was met */
export async function measureStartUp(rounds: number): Promise<boolean> {
  const differences = CASES.map((): Start[] => []);
  await start(BARE); // from then on Node's own files are in memory
  for (let round = 0; round < rounds; round += 1) {
    for (const [place, { args }] of CASES.entries()) {
      const bare = await start(BARE);
      const ours = await start(args);
      differences[place]?.push({
        milliseconds: ours.milliseconds - bare.milliseconds,
        processor: ours.processor - bare.processor,
      });
    }
  }
  console.log('start-up, after bare node');
  return report(
    'start-up',
    CASES.map(({ measure, bar, goal }, place): Measurement => {
      const all = differences[place] ?? [];
      return {
        measure,
        value: median(all.map(({ milliseconds }) => milliseconds)),
        processor: median(all.map(({ processor }) => processor)),
        unit: 'ms',
        bar,
        goal,
      };
    }),
  );
}

/** Until the first line on stdout. */
function start(args: readonly string[]): Promise<Start> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let result: Start | undefined;
    child.stdout.once('data', () => {
      result = { milliseconds: performance.now() - begin, processor: processorMilliseconds(child.pid) };
      child.kill('SIGKILL');
    });
    child.once('error', reject).once('close', () => {
      if (result === undefined) reject(new Error(`node ${args.join(' ')} ended before it said anything`));
      else resolve(result);
    });
  });
}

/** Of all its threads. Linux counts in hundredths of a second (proc(5), `utime` and `stime`), also for what has just ended. */
function processorMilliseconds(pid: number | undefined): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
