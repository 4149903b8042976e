/**
 * How `sansmtp serve` with a Maildir compares with smtp-server that writes the same files with the same syncs: each message is
 * safe on the disk before its 250. The folders are where `TMPDIR` says: what a sync costs is the file system's.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer } from '../peer.js';
import { type Measurement, median, report, versionOf } from '../results.js';
import { postfixVersion } from '../smtp-source.js';
import { race, ratioIn, smtpSource } from './server-comparison.js';

const LOADS = [
  {
    title: 'Maildir with fsync, 16 connections',
    count: { messages: 1000, size: 1024, connections: 16 },
    bars: { bar: 1.2, goal: 2 },
  },
  {
    title: 'Maildir with fsync, one connection',
    count: { messages: 200, size: 1024, connections: 1 },
    bars: undefined,
  },
] as const;

/** @returns whether the bar was met */
export async function compareMaildirs(rounds: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-bench-'));
  const peers: Peer[] = [];
  const measurements: Measurement[] = [];
  try {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => join(folder, name)) as [string, string];
    const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));
    const command = local('../../../cli/bin/sansmtp.js');
    peers.push(
      await startPeer('sansmtp', process.execPath, [command, 'serve', '--port', '0', '--maildir', ours]),
    );
    peers.push(await startPeer('smtp-server', process.execPath, [local('smtp-server-maildir.js'), theirs]));
    let sent = 0;
    for (const { title, count, bars } of LOADS) {
      const costs = await race(peers, count, smtpSource, rounds);
      sent += (rounds + 1) * count.messages;
      const own = costs.get('sansmtp') ?? [];
      measurements.push(
        {
          measure: `${title}: rate against smtp-server writing the same files`,
          value: ratioIn(costs, ({ seconds }) => seconds)('smtp-server', 'sansmtp'),
          processor: ratioIn(costs, ({ processorSeconds }) => processorSeconds)('smtp-server', 'sansmtp'),
          unit: '×',
          ...(bars !== undefined && { ...bars, limit: 'least' }),
        },
        {
          measure: 'the same, messages a second',
          value: count.messages / median(own.map(({ seconds }) => seconds)),
          unit: 'a second',
        },
      );
    }
    for (const maildir of [ours, theirs]) {
      const { length } = await readdir(join(maildir, 'new'));
      if (length !== sent) throw new Error(`${maildir} has ${length} messages, and ${sent} were sent`);
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await rm(folder, { recursive: true });
  }
  return report('maildir', measurements, {
    'smtp-server': versionOf('smtp-server'),
    Postfix: await postfixVersion(),
  });
}
