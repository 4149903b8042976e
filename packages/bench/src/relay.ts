/**
 * `npm run bench:relay`: how fast `sansmtp relay` takes messages, stores them safely and delivers them into a bare socket, beside
 * Postfix and Haraka, which do the same on the same disk in the same run, in turn; and what is in memory while many pass.
 * The load is Postfix's smtp-source, and the time ends with the last message at the socket. Machines are shared: only ratios
 * are worth anything, and the processor time of each beside them.
 *
 * All three answer 250 after a sync of the message, send 20 messages at a time to the one host, and get as many messages before
 * they are measured: a server runs for weeks, and V8 compiles what has run for a while.
 */
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Peer } from './peer.js';
import { HARAKA, startHaraka, startPostfix, startRelay } from './relays/relay-peers.js';
import { type RelaySink, startRelaySink } from './relays/relay-sink.js';
import { postfixVersion, runSmtpSource } from './smtp-source.js';

const options = new Command('bench:relay')
  .option('--rounds <count>', 'how often each gets each load', count, 3)
  .option('--small <count>', 'messages of 1 KiB in a round', count, 1000)
  .option('--large <count>', 'messages of 1 MB in a round', count, 40)
  .option('--warm <count>', 'messages of 1 KiB that each gets first, and a 50th as many of 1 MB', count, 2000)
  .option('--memory-only', 'compare nothing: look at memory alone', false)
  .option('--memory <count>', 'messages that pass while memory is looked at: 100000, say', count, 10_000)
  .option('--folder <directory>', 'where the queues lie; a temporary folder is made there', tmpdir())
  .parse()
  .opts<{
    rounds: number;
    small: number;
    large: number;
    warm: number;
    memoryOnly: boolean;
    memory: number;
    folder: string;
  }>();

/** What our rate has to be of theirs. */
const BARS: Readonly<Record<string, number>> = { postfix: 1, haraka: 3 };

/** Slices in which messages pass while memory is looked at. */
const SLICES = 10;

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1.');
}

/** Seconds from the first connection until all are delivered. */
async function pass(peer: Peer, sink: RelaySink, messages: number, octets: number): Promise<number> {
  const begun = performance.now();
  const received = sink.receive(messages);
  const addresses = ['-f', 'sender@home.example', '-t', 'recipient@far.example'];
  const load = ['-d', '-s', '20', '-m', `${messages}`, '-l', `${octets}`, ...addresses];
  await runSmtpSource(load, peer.port);
  return ((await received) - begun) / 1000;
}

/** What a peer takes for a message: seconds until it is delivered, and of processors. */
interface Taken {
  readonly seconds: number;
  readonly processor: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] as number;
}

async function compare(
  peers: readonly Peer[],
  sink: RelaySink,
  messages: number,
  octets: number,
): Promise<boolean> {
  const rounds = new Map<string, Taken[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const peer of peers) {
      const before = await peer.processorSeconds();
      const seconds = (await pass(peer, sink, messages, octets)) / messages;
      const processor = ((await peer.processorSeconds()) - before) / messages;
      rounds.get(peer.name)?.push({ seconds, processor });
    }
  }
  const medianOf = (taken: readonly Taken[], what: keyof Taken) => median(taken.map((each) => each[what]));
  const rateOf = (taken: readonly Taken[]) => 1 / medianOf(taken, 'seconds');
  const ours = rateOf(rounds.get('sansmtp') ?? []);
  console.log(`${messages} messages of ${octets} octets, ${options.rounds} rounds in turn, medians`);
  let isMet = true;
  for (const [name, taken] of rounds) {
    const rate = rateOf(taken);
    const bar = BARS[name];
    const ratio = ours / rate;
    if (bar !== undefined && ratio < bar) isMet = false;
    const verdict =
      bar === undefined
        ? ''
        : `; sansmtp: ${ratio.toFixed(2)} × that, bar ${bar}: ${ratio < bar ? 'missed' : 'met'}`;
    const processor = (medianOf(taken, 'processor') * 1000).toFixed(1);
    console.log(
      `  ${name.padEnd(9)} ${rate.toFixed(1)} messages a second, ${processor} ms of a processor for each${verdict}`,
    );
  }
  return isMet;
}

async function residentMebibytes({ pid }: Peer): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function watchMemory(peer: Peer, sink: RelaySink): Promise<void> {
  const slice = Math.ceil(options.memory / SLICES);
  const resident: string[] = [];
  for (let passed = 0; passed < options.memory; passed += slice) {
    await pass(peer, sink, slice, 1024);
    resident.push((await residentMebibytes(peer)).toFixed(0));
  }
  console.log(`RSS of sansmtp relay in MiB, after each ${slice} messages of 1 KiB: ${resident.join(' ')}`);
}

const folder = await mkdtemp(join(options.folder, 'relay-bench-'));
// Postfix's processes have users of their own.
await chmod(folder, 0o755);
const peers: Peer[] = [];
try {
  const sink = await startRelaySink();
  const others = options.memoryOnly ? {} : { postfix: startPostfix, haraka: startHaraka };
  for (const [name, start] of Object.entries({ sansmtp: startRelay, ...others })) {
    const own = join(folder, name);
    await mkdir(own);
    peers.push(await start(own, sink.port));
  }
  if (!options.memoryOnly) {
    console.log(`Node ${process.version}, Postfix ${await postfixVersion()}, Haraka ${HARAKA}`);
    for (const peer of peers) {
      await pass(peer, sink, options.warm, 1024);
      await pass(peer, sink, Math.ceil(options.warm / 50), 1_000_000);
    }
    const met = [
      await compare(peers, sink, options.small, 1024),
      await compare(peers, sink, options.large, 1_000_000),
    ];
    process.exitCode = met.every(Boolean) ? 0 : 1;
  }
  await watchMemory(peers[0] as Peer, sink);
} finally {
  await Promise.all(peers.map((peer) => peer.stop()));
  await rm(folder, { recursive: true, force: true });
}
