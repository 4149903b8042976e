/**
 * `npm run bench`: how `sansmtp serve` and our mailer compare with their peers under the same load, in one run. Machines are
 * shared and noisy, so only ratios are worth anything. What was measured goes into results.json, and from there into
 * docs/performance.md.
 *
 * `npm run bench -- --only PART` measures one part; `npm run bench -- --against REV` compares the server with the one of another
 * commit instead.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { compareClients } from './clients/client-comparison.js';
import { report } from './results.js';
import { compareConnections } from './servers/connection-comparison.js';
import { measureLatency } from './servers/latency.js';
import { compareMaildirs } from './servers/maildir-comparison.js';
import { compareRevisions } from './servers/revision-comparison.js';
import { compareServers } from './servers/server-comparison.js';
import { compareWorkers } from './servers/worker-comparison.js';
import { measureGrowth } from './sessions/growth.js';
import { transactionsPerSecond } from './sessions/in-process.js';
import { compareObserving } from './sessions/observing.js';
import { measureStartUp } from './start-up.js';

/** Each says whether its bars were met. */
const PARTS = {
  servers: (rounds) => compareServers(rounds),
  connections: (rounds = 5) => compareConnections(rounds),
  workers: (rounds = 20) => compareWorkers(rounds),
  clients: (rounds = 5) => compareClients(rounds),
  maildir: (rounds = 5) => compareMaildirs(rounds),
  'start-up': (rounds = 15) => measureStartUp(rounds),
  latency: () => measureLatency(),
  'in-process': measureInProcess,
  growth: measureGrowth,
  observing: (rounds = 15) => compareObserving(rounds),
} as const satisfies Record<string, (rounds?: number) => Promise<boolean> | boolean>;

type Part = keyof typeof PARTS;

const { rounds, against, only } = new Command('bench')
  .option(
    '--rounds <count>',
    'how often each program gets each load (default: 5; starts 15; against a commit 20)',
    count,
  )
  .option('--against <commit>', 'compare the server with the one of this commit, and nothing else')
  .addOption(new Option('--only <part>', 'measure this part').choices(Object.keys(PARTS)))
  .parse()
  .opts<{ rounds?: number; against?: string; only?: Part }>();

if (against !== undefined) {
  await compareRevisions(against, rounds ?? 20);
} else {
  const parts = only === undefined ? (Object.keys(PARTS) as Part[]) : [only];
  for (const part of parts) if (!(await PARTS[part](rounds))) process.exitCode = 1;
}

function measureInProcess(): boolean {
  transactionsPerSecond(20_000);
  const inProcess = Math.max(...Array.from({ length: 5 }, () => transactionsPerSecond(50_000)));
  const measure = 'mail transactions of 1 KiB in process, octets to octets';
  return report('in-process', [
    { measure, value: inProcess, unit: 'a second', bar: 240_000, goal: 320_000, limit: 'least' },
  ]);
}

function count(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a number of 1 to 9999.');
}
