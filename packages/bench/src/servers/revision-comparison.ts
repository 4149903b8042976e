/**
 * How `sansmtp serve --discard` compares with that of another commit. Both run all the while and get their loads in turn, in
 * short rounds; of the ratios within each round the median counts, so that whatever else the machine does falls on both.
 * Below 1, this one takes less.
 */
import { type Peer, startServe } from '../peer.js';
import { runSmtpSource } from '../smtp-source.js';
import { buildRevision } from './revision.js';

const LOADS = [
  {
    name: 'A',
    title: '5,000 messages of 1 KiB on 10 kept sessions',
    args: ['-d', '-s', '10', '-m', '5000', '-l', '1024'],
  },
  {
    name: 'B',
    title: '200 MB in 10 messages on 2 kept sessions',
    args: ['-d', '-s', '2', '-m', '10', '-l', '20000000'],
  },
  {
    name: 'N',
    title: '1,000 messages of 1 KiB, each on a connection of its own, 10 at a time',
    args: ['-s', '10', '-m', '1000', '-l', '1024'],
  },
] as const;

/** What one load costs one server. */
interface Cost {
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** Prints how this server compares with the one of that commit. */
export async function compareRevisions(commit: string, rounds: number): Promise<void> {
  const revision = await buildRevision(commit);
  const peers: Peer[] = [];
  try {
    const before = await startServe(commit, revision.folder);
    peers.push(before);
    const now = await startServe('this');
    peers.push(now);
    console.log(`This against ${commit}, medians of ${rounds} rounds (and their middle half)`);
    for (const { name, title, args } of LOADS) {
      for (const peer of peers) await costOf(peer, args); // warm
      const pairs: (readonly [now: Cost, before: Cost])[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // Each goes first as often as the other.
        if (round % 2 === 0) pairs.push([await costOf(now, args), await costOf(before, args)]);
        else {
          const first = await costOf(before, args);
          pairs.push([await costOf(now, args), first]);
        }
      }
      console.log(`${name}: ${title}`);
      console.log(`  time            ${ratiosOf(pairs, ({ seconds }) => seconds)}`);
      console.log(`  processor time  ${ratiosOf(pairs, ({ processorSeconds }) => processorSeconds)}`);
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await revision.remove();
  }
}

async function costOf(peer: Peer, args: readonly string[]): Promise<Cost> {
  const before = await peer.processorSeconds();
  const seconds = await runSmtpSource(args, peer.port);
  return { seconds, processorSeconds: (await peer.processorSeconds()) - before };
}

function ratiosOf(pairs: readonly (readonly [Cost, Cost])[], of: (cost: Cost) => number): string {
  const ratios = pairs.map(([now, before]) => of(now) / of(before)).sort((one, other) => one - other);
  const at = (part: number) => (ratios[Math.floor(part * (ratios.length - 1))] ?? Number.NaN).toFixed(2);
  const [first] = pairs.map(([, before]) => of(before)).sort((one, other) => one - other);
  return `${at(0.5)}  (${at(0.25)} to ${at(0.75)}; at best ${first?.toFixed(2)} s before)`;
}
