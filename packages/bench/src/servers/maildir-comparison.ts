/**
 * How `sansmtp serve` with a Maildir compares with smtp-server that writes the same files with the same syncs: 16 clients at
 * a time, whose messages are each safe on the disk before their 250.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Peer, startPeer } from '../peer.js';
import { median, report, versionOf } from '../results.js';
import { postfixVersion, runSmtpSource } from '../smtp-source.js';

const MESSAGES = 1000;
const LOAD = ['-d', '-s', '16', '-m', String(MESSAGES), '-l', '1024'];

/** @returns whether the bar was met */
export async function compareMaildirs(rounds: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-bench-'));
  const peers: Peer[] = [];
  try {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => join(folder, name)) as [string, string];
    const local = (file: string) => fileURLToPath(new URL(file, import.meta.url));
    const command = local('../../../cli/bin/sansmtp.js');
    peers.push(
      await startPeer('sansmtp', process.execPath, [command, 'serve', '--port', '0', '--maildir', ours]),
    );
    peers.push(await startPeer('smtp-server', process.execPath, [local('smtp-server-maildir.js'), theirs]));
    const seconds = new Map(peers.map(({ name }): [string, number[]] => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, port } of peers) seconds.get(name)?.push(await runSmtpSource(LOAD, port));
    }
    for (const maildir of [ours, theirs]) {
      const { length } = await readdir(join(maildir, 'new'));
      if (length !== rounds * MESSAGES) throw new Error(`${maildir} has ${length} messages`);
    }
    const own = seconds.get('sansmtp') ?? [];
    const ratios = own.map((each, round) => (seconds.get('smtp-server')?.[round] ?? Number.NaN) / each);
    console.log('Maildir, 16 connections');
    return report(
      'maildir',
      [
        {
          measure: 'Maildir with fsync, 16 connections: rate against smtp-server writing the same files',
          ...{ value: median(ratios), unit: '×', bar: 1.2, goal: 2, limit: 'least' },
        },
        {
          measure: 'the same, messages a second',
          ...{ value: MESSAGES / median(own), unit: 'a second' },
        },
      ],
      { 'smtp-server': versionOf('smtp-server'), Postfix: await postfixVersion() },
    );
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await rm(folder, { recursive: true });
  }
}
