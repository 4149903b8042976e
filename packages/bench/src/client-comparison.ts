/**
 * How our mailer's pool compares with nodemailer's and with Postfix's smtp-source, in one run. What is printed of the
 * rates is how many times nodemailer's they are: the more the better.
 *
 * They send into smtp-sink. It takes large messages octet by octet, and no client gets ahead of it, which is to be
 * seen by smtp-source's rate and by the processor time that the others take; so those go into the floor as well.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientLoad, Measured } from './client-load.js';
import { type Peer, startPeer, startSmtpSink } from './peer.js';

/** Each with the least that our rate may be, in rates of nodemailer. */
const LOADS = [
  {
    name: 'C',
    title: 'client, 20,000 messages of 1 KiB on 10 connections',
    load: { messages: 20_000, size: 1024, connections: 10 },
    sinks: ['smtp-sink'],
    bar: 3.0,
  },
  {
    name: 'D',
    title: 'client, 400 MB in 20 messages on 2 connections',
    load: { messages: 20, size: 20_000_000, connections: 2 },
    sinks: ['smtp-sink', 'floor'],
    bar: 2.0,
  },
] as const;

const MEMORY = {
  name: 'E',
  title: 'client, 2 GB in 100 messages on 2 connections',
  load: { messages: 100, size: 20_000_000, connections: 2 },
  /** MiB by which the client's RSS may grow. */
  bar: 64,
} as const;

/** What is known only of our own programs is NaN for smtp-source. */
interface Run extends Measured {
  readonly seconds: number;
}

type Client = (load: ClientLoad) => Promise<Run>;

const CLIENTS: readonly { readonly name: string; readonly run: Client }[] = [
  { name: 'nodemailer', run: program('client-nodemailer.js') },
  { name: 'sansmtp', run: program('client.js') },
  { name: 'smtp-source', run: smtpSource },
];

/** Prints how they compare. @returns whether every bar was met */
export async function compareClients(rounds: number): Promise<boolean> {
  const sinks: Peer[] = [];
  let met = true;
  try {
    const smtpSink = await startSmtpSink();
    sinks.push(smtpSink);
    sinks.push(await startPeer('floor', process.execPath, [local('floor.js')]));
    for (const { name, title, load, sinks: wanted, bar } of LOADS) {
      for (const { name: sink, port } of sinks) {
        if (!wanted.some((one) => one === sink)) continue;
        const fastest = await race({ host: '127.0.0.1', port, ...load }, rounds);
        console.log(`${name}: ${title}, into ${sink}`);
        if (!report(fastest, bar)) met = false;
      }
    }
    const { growth } = await program('client.js')({ host: '127.0.0.1', port: smtpSink.port, ...MEMORY.load });
    const mebibytes = growth / 2 ** 20;
    if (mebibytes >= MEMORY.bar) met = false;
    console.log(`${MEMORY.name}: ${MEMORY.title}`);
    console.log(
      `  ${'sansmtp'.padEnd(12)} grew by ${mebibytes.toFixed(0)} MiB  bar ${MEMORY.bar}: ${wordFor(mebibytes < MEMORY.bar)}`,
    );
  } finally {
    await Promise.all(sinks.map((sink) => sink.stop()));
  }
  return met;
}

/** The fastest run of each client. */
async function race(load: ClientLoad, rounds: number): Promise<ReadonlyMap<string, Run>> {
  const fastest = new Map<string, Run>();
  for (let round = 0; round < rounds; round += 1) {
    for (const client of CLIENTS) {
      const run = await client.run(load);
      const best = fastest.get(client.name);
      if (best === undefined || run.seconds < best.seconds) fastest.set(client.name, run);
    }
  }
  return fastest;
}

/** @returns whether the bar was met */
function report(fastest: ReadonlyMap<string, Run>, bar: number): boolean {
  const theirs = fastest.get('nodemailer')?.seconds ?? Number.NaN;
  let met = false;
  for (const [client, { seconds, processorSeconds }] of fastest) {
    const ratio = theirs / seconds;
    if (client === 'sansmtp') met = ratio >= bar;
    const verdict = client === 'sansmtp' ? `  bar ${bar.toFixed(2)}: ${wordFor(met)}` : '';
    const processor = Number.isNaN(processorSeconds) ? '' : `, processor ${processorSeconds.toFixed(2)} s`;
    console.log(
      `  ${client.padEnd(12)} ${ratio.toFixed(2)} × nodemailer  (${seconds.toFixed(2)} s${processor})${verdict}`,
    );
  }
  return met;
}

function local(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function wordFor(met: boolean): string {
  return met ? 'met' : 'missed';
}

function argumentsFor(load: ClientLoad): string[] {
  return Object.entries(load).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** A client in a process of its own, which says itself how long it took: Node's start does not count. */
function program(file: string): Client {
  return async (load) => {
    const child = fork(local(file), argumentsFor(load), {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let printed = '';
    let told: Measured = { growth: Number.NaN, processorSeconds: Number.NaN };
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
    });
    child.on('message', (message: Measured) => {
      told = message;
    });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${file} ended with ${code}: ${printed}`);
    const { seconds } = JSON.parse(printed) as { readonly seconds: number };
    return { seconds, ...told };
  };
}

async function smtpSource({ host, port, messages, size, connections }: ClientLoad): Promise<Run> {
  const args = ['-d', '-s', `${connections}`, '-m', `${messages}`, '-l', `${size}`, `${host}:${port}`];
  const start = performance.now();
  const child = spawn('smtp-source', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, processorSeconds: Number.NaN, growth: Number.NaN };
}
