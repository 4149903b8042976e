/**
 * What many connections cost: memory for each that is idle, above that of a bare socket, and how much slower some are where
 * thousands of others are connected.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, startServe } from '../peer.js';
import { median, report } from '../results.js';
import { postfixVersion, runSmtpSource } from '../smtp-source.js';

const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const IDLE = 5000;

const CONNECTED = 9900;
const BUSY = ['-d', '-s', '100', '-m', '5000', '-l', '1024'];

/** Measures both. @returns whether the bars were met */
export async function compareConnections(rounds: number): Promise<boolean> {
  const above = (await memoryOf(() => startServe('sansmtp'))) - (await memoryOf(startFloor));
  const { rate, processor } = await slowedDown(rounds);
  return report(
    'connections',
    [
      {
        measure: 'an idle greeted connection, above a bare socket',
        value: above,
        unit: 'KiB',
        bar: 3,
        goal: 1.6,
      },
      {
        measure: '10,000 connected sessions, 100 of them busy: rate against 100 alone',
        ...{ value: rate, processor, unit: '×', bar: 0.9, goal: 0.97, limit: 'least' },
      },
    ],
    { Postfix: await postfixVersion() },
  );
}

function startFloor(): Promise<Peer> {
  return startPeer('floor', process.execPath, [local('floor.js')]);
}

/** KiB of RSS that each idle connection adds, after some have come and gone. */
async function memoryOf(start: () => Promise<Peer>): Promise<number> {
  const peer = await start();
  try {
    await runSmtpSource(['-s', '10', '-m', '2000', '-l', '1024'], peer.port); // warm
    const before = await residentKibibytes(peer);
    const clients = await connectClients(peer, IDLE);
    const after = await residentKibibytes(peer);
    await stopClients(clients);
    return (after - before) / IDLE;
  } finally {
    await peer.stop();
  }
}

/** Medians of the rounds: with many connected in the terms of without. */
async function slowedDown(rounds: number): Promise<{ readonly rate: number; readonly processor: number }> {
  const alone = await startServe('alone');
  const among = await startServe('among');
  const rates: number[] = [];
  const processors: number[] = [];
  let clients: ChildProcess | undefined;
  try {
    for (const { port } of [alone, among]) await runSmtpSource(BUSY, port); // warm
    clients = await connectClients(among, CONNECTED);
    for (let round = 0; round < rounds; round += 1) {
      const order = round % 2 === 0 ? [alone, among] : [among, alone];
      const costs = new Map<Peer, { readonly seconds: number; readonly processor: number }>();
      for (const peer of order) {
        const before = await peer.processorSeconds();
        const seconds = await runSmtpSource(BUSY, peer.port);
        costs.set(peer, { seconds, processor: (await peer.processorSeconds()) - before });
      }
      const [one, other] = [costs.get(alone), costs.get(among)];
      if (one === undefined || other === undefined) continue;
      rates.push(one.seconds / other.seconds);
      processors.push(one.processor / other.processor);
    }
  } finally {
    if (clients !== undefined) await stopClients(clients);
    await Promise.all([alone, among].map((peer) => peer.stop()));
  }
  return { rate: median(rates), processor: median(processors) };
}

async function connectClients({ port }: Peer, count: number): Promise<ChildProcess> {
  const clients = fork(local('idle-clients.js'), [String(port), String(count)]);
  await once(clients, 'message');
  return clients;
}

async function stopClients(clients: ChildProcess): Promise<void> {
  clients.kill('SIGKILL');
  await once(clients, 'exit');
}

/** Linux says it in pages of 4 KiB (proc(5), `statm`). */
async function residentKibibytes({ pid }: Peer): Promise<number> {
  const [, pages] = (await readFile(`/proc/${pid}/statm`, 'latin1')).split(' ');
  return Number(pages) * 4;
}
