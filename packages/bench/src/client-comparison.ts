/**
 * How our mailer's pool compares with nodemailer's and with Postfix's smtp-source, all into smtp-sink, in one run.
 * What is printed of the rates is how many times nodemailer's they are: the more the better.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientLoad } from './client-load.js';
import { startSmtpSink } from './peer.js';

/** Each with the least that our rate may be, in rates of nodemailer. */
const LOADS = [
  {
    name: 'C',
    title: 'client, 20,000 messages of 1 KiB on 10 connections',
    load: { messages: 20_000, size: 1024, connections: 10 },
    bar: 3.0,
  },
  {
    name: 'D',
    title: 'client, 400 MB in 20 messages on 2 connections',
    load: { messages: 20, size: 20_000_000, connections: 2 },
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

interface Run {
  readonly seconds: number;
  /** Octets by which the client's RSS grew at most. */
  readonly growth: number;
}

type Client = (load: ClientLoad) => Promise<Run>;

const CLIENTS: readonly { readonly name: string; readonly run: Client }[] = [
  { name: 'nodemailer', run: program('client-nodemailer.js') },
  { name: 'sansmtp', run: program('client.js') },
  { name: 'smtp-source', run: smtpSource },
];

/** Prints how they compare. @returns whether every bar was met */
export async function compareClients(rounds: number): Promise<boolean> {
  const sink = await startSmtpSink();
  const target = { host: '127.0.0.1', port: sink.port };
  let met = true;
  try {
    for (const { name, title, load, bar } of LOADS) {
      const fastest = new Map<string, number>();
      for (let round = 0; round < rounds; round += 1) {
        for (const client of CLIENTS) {
          const { seconds } = await client.run({ ...target, ...load });
          fastest.set(client.name, Math.min(seconds, fastest.get(client.name) ?? Number.POSITIVE_INFINITY));
        }
      }
      const theirs = fastest.get('nodemailer') ?? Number.NaN;
      console.log(`${name}: ${title}`);
      for (const [client, seconds] of fastest) {
        const ratio = theirs / seconds;
        const verdict = client === 'sansmtp' ? `  bar ${bar.toFixed(2)}: ${wordFor(ratio >= bar)}` : '';
        if (client === 'sansmtp' && ratio < bar) met = false;
        console.log(
          `  ${client.padEnd(12)} ${ratio.toFixed(2)} × nodemailer  (${seconds.toFixed(2)} s)${verdict}`,
        );
      }
    }
    const { growth } = await program('client.js')({ ...target, ...MEMORY.load });
    const mebibytes = growth / 2 ** 20;
    if (mebibytes >= MEMORY.bar) met = false;
    console.log(`${MEMORY.name}: ${MEMORY.title}`);
    console.log(
      `  ${'sansmtp'.padEnd(12)} grew by ${mebibytes.toFixed(0)} MiB  bar ${MEMORY.bar}: ${wordFor(mebibytes < MEMORY.bar)}`,
    );
  } finally {
    await sink.stop();
  }
  return met;
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
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), argumentsFor(load), {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let printed = '';
    let growth = Number.NaN;
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
    });
    child.on('message', (message: { readonly growth: number }) => {
      growth = message.growth;
    });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${file} ended with ${code}: ${printed}`);
    const { seconds } = JSON.parse(printed) as { readonly seconds: number };
    return { seconds, growth };
  };
}

async function smtpSource({ host, port, messages, size, connections }: ClientLoad): Promise<Run> {
  const args = ['-d', '-s', `${connections}`, '-m', `${messages}`, '-l', `${size}`, `${host}:${port}`];
  const start = performance.now();
  const child = spawn('smtp-source', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, growth: Number.NaN };
}
