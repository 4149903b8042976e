/**
 * How `sansmtp serve --discard` compares with its peers under the same load, in the clear and over TLS. All run all the while
 * and get their loads in turn, in short rounds; of the ratios within each round the median counts, so that whatever else the
 * machine does falls on all of them. Processor time says what the server itself has used.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, startServe, startSmtpSink } from '../peer.js';
import { type Measurement, median, report, versionOf } from '../results.js';
import { postfixVersion, runSmtpSource } from '../smtp-source.js';
import { makeCertificate } from './certificate.js';

/** Times are of the floor's: at most. Rates are of smtp-server's: at least. */
const LOADS = [
  {
    name: 'A',
    title: '5,000 messages of 1 KiB on 10 kept sessions',
    count: { messages: 5000, size: 1024, connections: 10 },
    rounds: 20,
    bars: { floor: { bar: 1.12, goal: 1.02 }, peer: { bar: 1.6, goal: 1.8 } },
  },
  {
    name: 'B',
    title: '200 MB in 10 messages on 2 kept sessions',
    count: { messages: 10, size: 20_000_000, connections: 2 },
    rounds: 5,
    bars: { floor: { bar: 1.2, goal: 0.9 }, peer: { bar: 2, goal: 3 } },
  },
  {
    name: 'N',
    title: '1,000 messages of 1 KiB, each on a connection of its own, 10 at a time',
    count: { messages: 1000, size: 1024, connections: 10, each: true },
    rounds: 20,
    bars: { floor: { bar: 1.25, goal: 1.1 }, peer: undefined },
  },
] as const;

/** Over TLS, of the time of a bare `node:tls` server: at most. */
const TLS_BARS = { floor: { bar: 1.25, goal: 1.1 }, peer: undefined };

export interface Count {
  readonly messages: number;
  readonly size: number;
  readonly connections: number;
  readonly each?: boolean;
}

type Load = (count: Count, port: number) => Promise<number>;

/** What one load costs one server. */
export interface Cost {
  readonly seconds: number;
  readonly processorSeconds: number;
}

const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/**
 * Prints how they compare.
 * @param rounds in the place of each load's own
 * @returns whether every bar was met
 */
export async function compareServers(rounds: number | undefined): Promise<boolean> {
  const measurements = [...(await compareInTheClear(rounds)), ...(await compareOverTls(rounds))];
  return report('servers', measurements, {
    'smtp-server': versionOf('smtp-server'),
    Postfix: await postfixVersion(),
  });
}

async function compareInTheClear(rounds: number | undefined): Promise<readonly Measurement[]> {
  const peers: Peer[] = [];
  const measurements: Measurement[] = [];
  try {
    const floor = await startPeer('floor', process.execPath, [local('floor.js')]);
    peers.push(floor);
    peers.push(await startServe('sansmtp'));
    peers.push(await startPeer('smtp-server', process.execPath, [local('smtp-server.js')]));
    peers.push(await startSmtpSink());
    for (const { name, title, count, bars, rounds: own } of LOADS) {
      const costs = await race(peers, count, smtpSource, rounds ?? own);
      measurements.push(...measured(`${name}: ${title}`, costs, bars));
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
  return measurements;
}

async function compareOverTls(rounds: number | undefined): Promise<readonly Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-bench-'));
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const peers: Peer[] = [];
  const measurements: Measurement[] = [];
  try {
    await makeCertificate(certificate, key);
    const files = [certificate, key];
    peers.push(await startPeer('floor', process.execPath, [local('floor.js'), ...files], 'smtps'));
    const tls = ['--tls-port', '0', '--tls-cert', certificate, '--tls-key', key];
    peers.push(await startServe('sansmtp', undefined, tls, 'smtps'));
    for (const { name, title, count, rounds: own } of LOADS) {
      const costs = await race(peers, count, tlsLoad, Math.min(rounds ?? own, 10));
      measurements.push(...measured(`${name} over TLS: ${title}`, costs, TLS_BARS));
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await rm(folder, { recursive: true, force: true });
  }
  return measurements;
}

/** What each round cost each of them. Each goes first as often as any other. */
export async function race(
  peers: readonly Peer[],
  count: Count,
  load: Load,
  rounds: number,
): Promise<ReadonlyMap<string, readonly Cost[]>> {
  const costs = new Map<string, Cost[]>(peers.map(({ name }) => [name, []]));
  for (const { port } of peers) await load(count, port); // warm
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < peers.length; turn += 1) {
      const peer = peers[(round + turn) % peers.length] as Peer;
      const before = await peer.processorSeconds();
      const seconds = await load(count, peer.port);
      costs.get(peer.name)?.push({ seconds, processorSeconds: (await peer.processorSeconds()) - before });
    }
  }
  return costs;
}

/** What must hold, and what would be better. */
interface Bar {
  readonly bar: number;
  readonly goal: number;
}

interface Bars {
  readonly floor: Bar;
  readonly peer: Bar | undefined;
}

/** Ours against the floor, then against the peer. */
function measured(
  title: string,
  costs: ReadonlyMap<string, readonly Cost[]>,
  { floor, peer }: Bars,
): readonly Measurement[] {
  const time = ratioIn(costs, ({ seconds }) => seconds);
  const processor = ratioIn(costs, ({ processorSeconds }) => processorSeconds);
  const against = (name: string, other: string) => ({
    value: time(name, other),
    processor: processor(name, other),
    unit: '×' as const,
  });
  const others = [...costs.keys()].filter((name) => name !== 'floor' && name !== 'sansmtp');
  return [
    {
      measure: `${title}: time against the floor`,
      ...against('sansmtp', 'floor'),
      bar: floor.bar,
      goal: floor.goal,
    },
    ...others.map((name) => ({
      measure: `the same: rate against ${name}`,
      ...against(name, 'sansmtp'),
      ...(name === 'smtp-server' && peer !== undefined && { ...peer, limit: 'least' as const }),
    })),
  ];
}

/** The median over the rounds of what one cost in terms of the other. */
export function ratioIn(
  costs: ReadonlyMap<string, readonly Cost[]>,
  of: (cost: Cost) => number,
): (one: string, other: string) => number {
  return (one, other) => {
    const others = costs.get(other) ?? [];
    const ratios = (costs.get(one) ?? []).map((cost, round) => of(cost) / of(others[round] as Cost));
    return median(ratios);
  };
}

export function smtpSource({ messages, size, connections, each }: Count, port: number): Promise<number> {
  const kept = each ? [] : ['-d'];
  return runSmtpSource([...kept, '-s', `${connections}`, '-m', `${messages}`, '-l', `${size}`], port);
}

async function tlsLoad({ messages, size, connections, each }: Count, port: number): Promise<number> {
  const counts = { port, messages, size, connections };
  const args = Object.entries(counts).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [local('tls-load.js'), ...args, ...(each ? ['--each'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`tls-load.js ended with ${code}`);
  return (JSON.parse(printed) as { readonly seconds: number }).seconds;
}
