/** A queue is opened by the summaries of its segments; and where there is none, by all records of the segment. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { QueueStore } from '../contract/queue-store.js';
import { withFiles } from './disk/faulty-files.test-support.js';
import type { FileSystem } from './disk/file-system.js';
import { KEEPS_ALL, LOSES_ALL, SimulatedDisk } from './disk/simulated-disk.test-support.js';
import { openStore } from './embedded-store.js';
import { encodeRecord, writtenChecksum } from './journal/record.js';

const NOW = Date.UTC(2030, 0, 1);
const SEGMENT_OCTETS = 30_000;

const open = (files: FileSystem, epoch = 1) =>
  openStore(files, '/queue', { epoch, reserve: 0, segmentOctets: SEGMENT_OCTETS });

async function put(store: QueueStore, localPart: string, body: Uint8Array = new Uint8Array(1000)) {
  const envelope = { reversePath: null, recipients: [{ localPart, domain: 'example.com' }] };
  async function* chunks() {
    yield body;
  }
  return store.put({ envelope, now: NOW }, chunks());
}

async function listed(store: QueueStore): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { recipients } of store.list()) found.push(recipients[0]?.recipient.localPart ?? '');
  return found;
}

async function octetsOf(disk: SimulatedDisk): Promise<number> {
  let octets = 0;
  for (const name of await disk.list('/queue')) {
    if (name.startsWith('journal-')) octets += await (await disk.open(`/queue/${name}`)).size();
  }
  return octets;
}

/** Counts the octets that are read. */
function reading(disk: SimulatedDisk) {
  const counted = { octets: 0 };
  const files = withFiles(disk, (file) => ({
    ...file,
    read: async (position, length) => {
      const octets = await file.read(position, length);
      counted.octets += octets.length;
      return octets;
    },
  }));
  return { files, counted };
}

const labels = Array.from({ length: 300 }, (_, i) => `recipient-${i}`);

describe('opening a queue', () => {
  it('reads no messages after it was closed, and one segment of them after its process died', async () => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk);
    for (const label of labels) await put(store, label);
    const dead = disk.afterPowerFailure(LOSES_ALL);
    await store.close();
    const whole = await octetsOf(disk);
    for (const [found, most] of [
      [disk, 0.15 * whole],
      [dead, 0.15 * whole + 2 * SEGMENT_OCTETS],
    ] as const) {
      const { files, counted } = reading(found);
      const opened = await open(files, 2);
      expect(counted.octets).toBeLessThan(most);
      expect(await listed(opened)).toEqual(labels);
      expect((await opened.count()).octets).toBe(300_000);
    }
  });

  it('reads the records of a segment for whose summary there was no room', async () => {
    const disk = new SimulatedDisk('/queue');
    let refused = 0;
    const files = withFiles(disk, (file) => ({
      ...file,
      write: async (octets, position) => {
        if (!Buffer.from(octets).includes('"journal":"summary"')) return file.write(octets, position);
        refused++;
        await file.write(octets.subarray(0, octets.length / 2), position);
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      },
    }));
    const store = await open(files);
    for (const label of labels) await put(store, label);
    expect(refused).toBeGreaterThan(5);
    for (const failure of [LOSES_ALL, KEEPS_ALL]) {
      expect(await listed(await open(disk.afterPowerFailure(failure), 2))).toEqual(labels);
    }
    await store.close();
    expect(await listed(await open(disk, 2))).toEqual(labels);
  });

  // The second shows that all but the nonce can be forged.
  it.each([
    ['takes no body for a summary', false],
    ['would take one for it from whoever knows the nonce', true],
  ])('%s', async (_, isNonceKnown) => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk);
    await put(store, 'honest');
    const [name = ''] = (await disk.list('/queue')).filter((each) => each.startsWith('journal-'));
    const segment = await disk.open(`/queue/${name}`);
    const size = await segment.size();
    const line =
      Buffer.from(await segment.read(0, 200))
        .toString('latin1')
        .split('\n')[0] ?? '';
    const nonce = isNonceKnown ? line.slice(-16) : '0'.repeat(16);
    const forge = (offset: number) => {
      const json = { journal: 'summary', nonce, domains: [], entries: 0, departed: 0 };
      const summary = encodeRecord(json).write(crc32(''));
      const end = { journal: 'end', nonce, summary: `${offset}`.padStart(10, '0') };
      return Buffer.concat([summary, encodeRecord(end).write(writtenChecksum(summary))]);
    };
    // Where the body will stand: after as much as stands before that of the first message, whose size has one digit more.
    const before = size - (line.length + 1) - 1000;
    const forged = forge(size + before - 1);
    expect(`${forged.length}`).toHaveLength(3);
    await put(store, 'forger', forged);
    expect(Buffer.from(await segment.read(0, 1e6)).indexOf(forged)).toBe(size + before - 1);
    const reopened = await open(disk.afterPowerFailure(KEEPS_ALL), 2);
    expect(await listed(reopened)).toEqual(isNonceKnown ? [] : ['honest', 'forger']);
  });

  it('reads a message that was changed many times in a few steps', async () => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk);
    const { id } = await put(store, 'often');
    for (let i = 0; i < 100; i++) {
      const [claim] = await store.claim({ now: NOW + i, lease: 1000 });
      if (claim === undefined) throw new Error('Nothing is due');
      const attempt = { at: NOW + i, verdict: 'deferred', reply: null, host: null, reason: '' } as const;
      await store.settle(claim, [{ place: 0, state: 'waiting', next: NOW + i, attempt }]);
    }
    await store.close();
    const { files, counted } = reading(disk);
    const opened = await open(files, 2);
    counted.octets = 0;
    expect((await opened.show(id))?.recipients[0]?.attempts).toBe(100);
    expect(counted.octets).toBeLessThan(18 * 2048);
    let body = 0;
    for await (const chunk of opened.body(id)) body += chunk.length;
    expect(body).toBe(1000);
  });
});
