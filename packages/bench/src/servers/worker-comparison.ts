/**
 * What several processes cost: `sansmtp serve --workers 2` against one process, under the same load. On two processors that
 * are shared with the load it cannot show that more fits through; processor time says what each message costs. Bare sockets
 * under node:cluster, against those of one process, say what of that is the system's and Node's.
 */
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, startServe } from '../peer.js';
import { type Measurement, report } from '../results.js';
import { postfixVersion } from '../smtp-source.js';
import { race, ratioIn, smtpSource } from './server-comparison.js';

const LOADS = [
  {
    title: '5,000 messages of 1 KiB on 10 kept sessions',
    count: { messages: 5000, size: 1024, connections: 10 },
    bar: 1.1,
  },
  {
    title: '5,000 messages of 1 KiB on 100 kept sessions',
    count: { messages: 5000, size: 1024, connections: 100 },
    bar: undefined,
  },
  {
    title: '1,000 messages of 1 KiB, each on a connection of its own',
    count: { messages: 1000, size: 1024, connections: 10, each: true },
    bar: undefined,
  },
] as const;

const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** @returns whether the bar was met */
export async function compareWorkers(rounds: number): Promise<boolean> {
  const peers: Peer[] = [];
  const measurements: Measurement[] = [];
  try {
    peers.push(await startServe('one'));
    peers.push(await startServe('workers', undefined, ['--workers', '2']));
    peers.push(await startPeer('floor', process.execPath, [local('floor.js')]));
    peers.push(await startPeer('floor workers', process.execPath, [local('floor-workers.js'), '2']));
    for (const { title, count, bar } of LOADS) {
      const costs = await race(peers, count, smtpSource, rounds);
      const against = ratioIn(costs, ({ processorSeconds }) => processorSeconds);
      measurements.push(
        {
          measure: `--workers 2, ${title}: processor time against one process`,
          value: against('workers', 'one'),
          unit: '×',
          ...(bar !== undefined && { bar }),
        },
        {
          measure: 'the same of bare sockets',
          value: against('floor workers', 'floor'),
          unit: '×',
        },
      );
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
  return report('workers', measurements, { Postfix: await postfixVersion() });
}
