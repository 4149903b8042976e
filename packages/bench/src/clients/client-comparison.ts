/**
 * How our mailer's pool compares with nodemailer's, with Postfix's smtp-source, and with bare sockets that write canned commands,
 * in one run, round after round: what counts are the medians of the rounds' ratios.
 *
 * They send into the floor, which takes octets as fast as Node can. smtp-sink takes large messages octet by octet, and no client
 * gets ahead of it; the memory is measured there, where a client that did not wait would fill its own.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, startSmtpSink } from '../peer.js';
import { type Measurement, median, report, versionOf } from '../results.js';
import { postfixVersion } from '../smtp-source.js';
import type { ClientLoad, Measured } from './client-load.js';

/** Against nodemailer the rate counts, and against bare sockets the time. */
const LOADS = [
  {
    title: 'client, 1 KiB on 10 connections',
    load: { messages: 20_000, size: 1024, connections: 10 },
    nodemailer: { bar: 3.2, goal: 4 },
    bare: { bar: 1.7, goal: 1.3 },
  },
  {
    title: 'client, 20 MB on 2 connections',
    load: { messages: 20, size: 20_000_000, connections: 2 },
    nodemailer: { bar: 2 },
    bare: { bar: 1.35, goal: 1.15 },
  },
] as const;

const MEMORY = {
  title: 'client, 2 GB in 100 messages on 2 connections',
  load: { messages: 100, size: 20_000_000, connections: 2 },
  /** MiB by which the client's RSS may grow. */
  bar: 64,
} as const;

/** What is known only of programs of Node is NaN for smtp-source. */
interface Run extends Measured {
  readonly seconds: number;
}

type Client = (load: ClientLoad) => Promise<Run>;

const CLIENTS = {
  nodemailer: program('client-nodemailer.js'),
  sansmtp: program('../client.js'),
  bare: program('client-bare.js'),
  'smtp-source': smtpSource,
} as const satisfies Record<string, Client>;

type Name = keyof typeof CLIENTS;

/** Prints how they compare. @returns whether every bar was met */
export async function compareClients(rounds: number): Promise<boolean> {
  const sinks: Peer[] = [];
  try {
    const floor = await startPeer('floor', process.execPath, [local('../servers/floor.js')]);
    sinks.push(floor);
    const measurements: Measurement[] = [];
    for (const { title, load, nodemailer, bare } of LOADS) {
      const runs = await race({ host: '127.0.0.1', port: floor.port, ...load }, rounds);
      const against = (other: Name, of: keyof Run, inverse: boolean) =>
        median(
          runs.sansmtp.map((own, round) => {
            const ratio = own[of] / (runs[other][round]?.[of] ?? Number.NaN);
            return inverse ? 1 / ratio : ratio;
          }),
        );
      measurements.push(
        {
          measure: `${title}: rate against nodemailer's pool`,
          value: against('nodemailer', 'seconds', true),
          processor: against('nodemailer', 'processorSeconds', true),
          ...{ unit: '×', limit: 'least', ...nodemailer },
        },
        {
          measure: `${title}: time against bare sockets`,
          value: against('bare', 'seconds', false),
          processor: against('bare', 'processorSeconds', false),
          ...{ unit: '×', ...bare },
        },
        {
          measure: `${title}: rate against smtp-source`,
          value: against('smtp-source', 'seconds', true),
          unit: '×',
        },
      );
    }
    const sink = await startSmtpSink();
    sinks.push(sink);
    const { growth } = await CLIENTS.sansmtp({ host: '127.0.0.1', port: sink.port, ...MEMORY.load });
    measurements.push({
      ...{ measure: `${MEMORY.title}: growth of its memory`, value: growth / 2 ** 20 },
      ...{ unit: 'MiB', bar: MEMORY.bar },
    });
    console.log('clients');
    return report('clients', measurements, {
      nodemailer: versionOf('nodemailer'),
      Postfix: await postfixVersion(),
    });
  } finally {
    await Promise.all(sinks.map((sink) => sink.stop()));
  }
}

/** The runs of each client, by round. */
async function race(load: ClientLoad, rounds: number): Promise<Readonly<Record<Name, Run[]>>> {
  const runs: Record<Name, Run[]> = { nodemailer: [], sansmtp: [], bare: [], 'smtp-source': [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of Object.keys(runs) as Name[]) runs[name].push(await CLIENTS[name](load));
  }
  return runs;
}

function local(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
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
