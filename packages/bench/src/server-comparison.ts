/**
 * How `sansmtp serve --discard` compares with its peers under the same load, in one run: of several rounds the fastest of
 * each counts.
 */
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer, startServe, startSmtpSink } from './peer.js';
import { runSmtpSource } from './smtp-source.js';

/** Each with the most that the time of ours may be of the floor's. */
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

const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Prints how they compare. @returns whether every bar was met */
export async function compareServers(rounds: number): Promise<boolean> {
  const peers: Peer[] = [];
  let met = true;
  try {
    peers.push(await startPeer('floor', process.execPath, [local('floor.js')]));
    peers.push(await startServe('sansmtp'));
    peers.push(await startPeer('smtp-server', process.execPath, [local('smtp-server.js')]));
    peers.push(await startSmtpSink());
    for (const { port } of peers) await runSmtpSource(['-d', '-s', '10', '-m', '2000', '-l', '1024'], port); // warm
    for (const load of LOADS) {
      const fastest = new Map<string, number>();
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, port } of peers) {
          const seconds = await runSmtpSource(load.args, port);
          fastest.set(name, Math.min(seconds, fastest.get(name) ?? Number.POSITIVE_INFINITY));
        }
      }
      met = report(load, fastest) && met;
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
  return met;
}

function report({ name, title, bar }: (typeof LOADS)[number], fastest: ReadonlyMap<string, number>): boolean {
  const floor = fastest.get('floor') ?? Number.NaN;
  const isMet = (fastest.get('sansmtp') ?? Number.NaN) / floor <= bar;
  console.log(`${name}: ${title}`);
  for (const [peer, seconds] of fastest) {
    const verdict = peer === 'sansmtp' ? `  bar ${bar.toFixed(2)}: ${isMet ? 'met' : 'missed'}` : '';
    const ratio = (seconds / floor).toFixed(2);
    console.log(`  ${peer.padEnd(12)} ${ratio} × floor  (${seconds.toFixed(2)} s)${verdict}`);
  }
  return isMet;
}
