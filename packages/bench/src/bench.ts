/**
 * `npm run bench`: how `sansmtp serve --discard` and our mailer compare with their peers under the same load, in one
 * run. Machines are shared and noisy, so only ratios are worth anything.
 *
 * `npm run bench -- --against REV` compares the server with the one of another commit instead.
 */
import { Command, InvalidArgumentError } from 'commander';
import { compareClients } from './client-comparison.js';
import { transactionsPerSecond } from './in-process.js';
import { measureLatency } from './latency.js';
import { compareRevisions } from './revision-comparison.js';
import { compareServers } from './server-comparison.js';

const { rounds, against } = new Command('bench')
  .option(
    '--rounds <count>',
    'how often each program gets each load (default: 5; against a commit 20)',
    count,
  )
  .option('--against <commit>', 'compare the server with the one of this commit, and nothing else')
  .parse()
  .opts<{ rounds?: number; against?: string }>();

if (against !== undefined) {
  await compareRevisions(against, rounds ?? 20);
} else {
  const bars = [await compareServers(rounds ?? 5), await compareClients(rounds ?? 5), await measureLatency()];
  transactionsPerSecond(20_000);
  const inProcess = Math.max(...Array.from({ length: 5 }, () => transactionsPerSecond(50_000)));
  const rate = Math.round(inProcess).toLocaleString('en');
  console.log(`In process: ${rate} mail transactions of 1 KiB a second`);
  if (bars.includes(false)) process.exitCode = 1;
}

function count(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a number of 1 to 9999.');
}
