/** What the store in a directory does beyond the contract; that is in `compliance.test.ts`. */
import { describe, expect, it } from 'vitest';
import type { NewMessage, Settlement } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import { withFiles } from './disk/faulty-files.test-support.js';
import type { FileSystem } from './disk/file-system.js';
import { LOSES_ALL, SimulatedDisk } from './disk/simulated-disk.test-support.js';
import { openStore } from './embedded-store.js';

const NOW = Date.UTC(2030, 0, 1);
const SEGMENT_OCTETS = 2000;
const MEBIBYTE = 1024 * 1024;

const message: NewMessage = {
  envelope: { reversePath: null, recipients: [{ localPart: 'bob', domain: 'example.com' }] },
  now: NOW,
};

async function* bodyOf(size: number, chunk = 65_536): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < size; sent += chunk) yield new Uint8Array(Math.min(chunk, size - sent));
}

const open = (files: FileSystem, { epoch = 1, reserve = 0 } = {}) =>
  openStore(files, '/queue', { epoch, reserve, segmentOctets: SEGMENT_OCTETS });

async function deliver(store: QueueStore): Promise<void> {
  const [claim] = await store.claim({ now: NOW, lease: 60_000 });
  if (claim === undefined) throw new Error('Nothing is due');
  const attempt = { at: NOW, verdict: 'delivered', reply: null, host: null, reason: '' } as const;
  const settlement: Settlement = { place: 0, state: 'delivered', attempt };
  await store.settle(await store.committing(claim, NOW), [settlement]);
}

const segments = async (disk: SimulatedDisk) =>
  (await disk.list('/queue')).filter((name) => name.startsWith('journal-'));

describe('the embedded store', () => {
  it('puts nothing while less than the reserve is free, and delivers what it has', async () => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk, { reserve: 1000 });
    await store.put(message, bodyOf(10));
    disk.free = 999;
    await expect(store.put(message, bodyOf(10))).rejects.toMatchObject({ code: 'ENOSPC' });
    await deliver(store);
    expect((await store.count()).octets).toBe(0);
    disk.free = 1000;
    await store.put(message, bodyOf(10));
  });

  it.each([100, 200_000])('goes on when a message of %i octets does not fit on the disk', async (size) => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk);
    await store.put(message, bodyOf(10));
    disk.room = 50;
    await expect(store.put(message, bodyOf(size))).rejects.toMatchObject({ code: 'ENOSPC' });
    disk.room = Number.POSITIVE_INFINITY;
    await store.put(message, bodyOf(size));
    expect((await store.count()).waiting).toBe(2);
    const reopened = await open(disk.afterPowerFailure(LOSES_ALL), { epoch: 2 });
    expect((await reopened.count()).waiting).toBe(2);
  });

  it('has no more of a body in memory than what is written, and as much again', async () => {
    let written = 0;
    const files = withFiles(new SimulatedDisk('/queue'), (file) => ({
      ...file,
      write: async (bytes) => {
        written += bytes.length;
      },
    }));
    const store = await open(files);
    let sent = 0;
    let most = 0;
    async function* body() {
      for await (const chunk of bodyOf(64 * MEBIBYTE, 30_000)) {
        most = Math.max(most, sent - written);
        sent += chunk.length;
        yield chunk;
      }
    }
    await store.put(message, body());
    expect(most).toBeLessThan(300_000);
  });

  it('removes what is delivered from the disk, however long a message stays behind', async () => {
    const disk = new SimulatedDisk('/queue');
    const store = await open(disk);
    const { id } = await store.put({ ...message, held: true }, bodyOf(1000));
    for (let i = 0; i < 300; i++) {
      await store.put(message, bodyOf(i % 20 === 0 ? 100_000 : 300));
      await deliver(store);
    }
    await store.close();
    expect((await segments(disk)).length).toBeLessThan(10);
    const reopened = await open(disk, { epoch: 2 });
    expect(await disk.list('/queue/bodies')).toEqual([]);
    expect((await reopened.show(id))?.state).toBe('held');
    let octets = 0;
    for await (const chunk of reopened.body(id)) octets += chunk.length;
    expect(octets).toBe(1000);
  });

  it('refuses what a newer version has written', async () => {
    const disk = new SimulatedDisk('/queue');
    await (await open(disk)).close();
    const name = 'journal-0000000002-0000000002';
    const file = await disk.create(`/queue/${name}`);
    await file.write(Buffer.from(`sansmtp queue, format 3, ${name}, more\n`), 0);
    await expect(open(disk, { epoch: 3 })).rejects.toThrow(
      `${name} has the format 3, and this version reads 2: a newer version has written it`,
    );
  });

  it('refuses what was written before this format, and leaves it as it is', async () => {
    const disk = new SimulatedDisk('/queue');
    const name = 'journal-0000000001-0000000001';
    const file = await disk.create(`/queue/${name}`);
    const text = '{"t":"segment","format":1}';
    const written = Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.alloc(8), Buffer.from(text)]);
    await file.write(written, 0);
    await expect(open(disk)).rejects.toThrow(
      `${name} has the format 1, and this version reads 2: a version that was never released has written it. ` +
        'Let that one deliver what is in /queue, or choose another directory',
    );
    expect(Buffer.from(await file.read(0, 100))).toEqual(written);
  });
});
