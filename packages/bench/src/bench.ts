/**
 * `npm run bench`: how `sansmtp serve --discard` and our mailer compare with their peers under the same load, in one
 * run. Machines are shared and noisy, so only ratios are worth anything, and of several rounds the fastest of each
 * counts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { compareClients } from './client-comparison.js';
import { transactionsPerSecond } from './in-process.js';
import { type Peer, startPeer, startSmtpSink } from './peer.js';

/** Loads by Postfix's smtp-source, each with the most that the time of ours may be of the floor's. */
const LOADS = [
  {
    name: 'A',
    title: '20,000 messages of 1 KiB on 10 kept sessions',
    args: ['-d', '-s', '10', '-m', '20000', '-l', '1024'],
    bar: 1.15,
  },
  {
    name: 'B',
    title: '400 MB in 20 messages on 2 kept sessions',
    args: ['-d', '-s', '2', '-m', '20', '-l', '20000000'],
    bar: 2.0,
  },
] as const;

const { rounds } = new Command('bench')
  .option('--rounds <count>', 'how often each program gets each load', count, 5)
  .parse()
  .opts<{ rounds: number }>();

const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const command = fileURLToPath(new URL('../../cli/bin/sansmtp.js', import.meta.url));

const peers: Peer[] = [];
let missed = false;
try {
  peers.push(await startPeer('floor', process.execPath, [local('floor.js')]));
  peers.push(await startPeer('sansmtp', process.execPath, [command, 'serve', '--discard', '--port', '0']));
  peers.push(await startPeer('smtp-server', process.execPath, [local('smtp-server.js')]));
  peers.push(await startSmtpSink());
  for (const { port } of peers) await send(['-d', '-s', '10', '-m', '2000', '-l', '1024'], port); // warm
  for (const load of LOADS) {
    const fastest = new Map<string, number>();
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, port } of peers) {
        const seconds = await send(load.args, port);
        fastest.set(name, Math.min(seconds, fastest.get(name) ?? Number.POSITIVE_INFINITY));
      }
    }
    report(load, fastest);
  }
} finally {
  await Promise.all(peers.map((peer) => peer.stop()));
}

if (!(await compareClients(rounds))) missed = true;

transactionsPerSecond(20_000);
const inProcess = Math.max(...Array.from({ length: 5 }, () => transactionsPerSecond(50_000)));
console.log(`In process: ${Math.round(inProcess).toLocaleString('en')} mail transactions of 1 KiB a second`);
if (missed) process.exitCode = 1;

function count(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a number of 1 to 9999.');
}

async function send(args: readonly string[], port: number): Promise<number> {
  const start = performance.now();
  const child = spawn('smtp-source', [...args, `127.0.0.1:${port}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return (performance.now() - start) / 1000;
}

function report({ name, title, bar }: (typeof LOADS)[number], fastest: ReadonlyMap<string, number>): void {
  const floor = fastest.get('floor') ?? Number.NaN;
  console.log(`${name}: ${title}`);
  for (const [peer, seconds] of fastest) {
    const ratio = seconds / floor;
    const verdict = peer === 'sansmtp' ? `  bar ${bar.toFixed(2)}: ${ratio <= bar ? 'met' : 'missed'}` : '';
    if (peer === 'sansmtp' && ratio > bar) missed = true;
    console.log(`  ${peer.padEnd(12)} ${ratio.toFixed(2)} × floor  (${seconds.toFixed(2)} s)${verdict}`);
  }
}
