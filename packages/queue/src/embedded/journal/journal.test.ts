import { describe, expect, it } from 'vitest';
import { QueueClosedError } from '../../contract/errors.js';
import { withFiles } from '../disk/faulty-files.test-support.js';
import type { FileSystem } from '../disk/file-system.js';
import { MortalFiles } from '../disk/mortal-files.test-support.js';
import { KEEPS_ALL, LOSES_ALL, SimulatedDisk } from '../disk/simulated-disk.test-support.js';
import { Journal } from './journal.js';
import { encodeRecord } from './record.js';
import type { Place, SegmentDamage } from './segment.js';

async function openJournal(files: FileSystem, epoch = 1, segmentOctets = 10_000) {
  const replayed: unknown[] = [];
  /** What was appended to the current segment. */
  let appended: unknown[] = [];
  const damages: SegmentDamage[] = [];
  const opened = new Journal(files, '/queue', { epoch, segmentOctets });
  await opened.open({
    record: (json) => {
      appended.push(json);
      replayed.push(json);
    },
    damaged: async (damage) => void damages.push(damage),
    summary: (json) => replayed.push(...(json as { readonly records: unknown[] }).records),
    summarize: () => {
      const records = appended;
      appended = [];
      return { json: { records }, body: new Uint8Array(0) };
    },
  });
  const append = (json: unknown, applied: (place: Place) => void, body?: Uint8Array) =>
    opened.append(
      json,
      (place) => {
        appended.push(json);
        applied(place);
      },
      body,
    );
  const journal = {
    append,
    read: (place: Place) => opened.read(place),
    readBody: (place: Place) => opened.readBody(place),
    close: () => opened.close(),
  };
  return { journal, replayed, damages };
}

const ignored = () => {};

describe('the journal', () => {
  it('replays what was appended, in this order', async () => {
    const disk = new SimulatedDisk('/queue');
    const { journal } = await openJournal(disk);
    for (let i = 0; i < 1000; i++) await journal.append({ i }, ignored, new Uint8Array(i));
    const { replayed } = await openJournal(disk.afterPowerFailure(LOSES_ALL), 2);
    expect(replayed).toEqual(Array.from({ length: 1000 }, (_, i) => ({ i })));
  });

  it('syncs once for all that were appended at a time, and acknowledges none before that', async () => {
    const disk = new SimulatedDisk('/queue');
    const mortal = new MortalFiles(disk);
    const { journal } = await openJournal(mortal.files);
    mortal.calls = [];
    const steps: string[] = [];
    const appending = Array.from({ length: 100 }, (_, i) =>
      journal.append({ i }, () => steps.push(mortal.calls.at(-1)?.split(' ')[0] ?? '')),
    );
    await Promise.all(appending);
    expect(mortal.calls.map((call) => call.split(' ')[0])).toEqual(['write', 'sync']);
    expect(new Set(steps)).toEqual(new Set(['sync']));
  });

  it('counts no sync that began before the write', async () => {
    const disk = new SimulatedDisk('/queue');
    let second: Promise<void> | undefined;
    const order: string[] = [];
    const files = withFiles(disk, (file) => ({
      ...file,
      write: async (bytes, position) => {
        order.push('write');
        await file.write(bytes, position);
      },
      sync: async () => {
        order.push('sync');
        // It comes while the first is being synced.
        if (order.length === 4) second = journal.append({ second: true }, () => order.push('second'));
        await file.sync();
      },
    }));
    const { journal } = await openJournal(files);
    await journal.append({ first: true }, () => order.push('first'));
    await second;
    expect(order).toEqual(['write', 'sync', 'write', 'sync', 'first', 'write', 'sync', 'second']);
  });

  it('takes back what a full disk took a part of, and goes on', async () => {
    const disk = new SimulatedDisk('/queue');
    const { journal } = await openJournal(disk);
    await journal.append({ first: true }, ignored);
    const { octets } = encodeRecord({ n: 1 });
    disk.room = 2 * octets + 5;
    const rejected = await Promise.allSettled([1, 2, 3].map((n) => journal.append({ n }, ignored)));
    expect(rejected.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const failure of [LOSES_ALL, KEEPS_ALL]) {
      expect((await openJournal(disk.afterPowerFailure(failure), 2)).replayed).toEqual([{ first: true }]);
    }
    disk.room = Number.POSITIVE_INFINITY;
    await journal.append({ n: 4 }, ignored);
    for (const failure of [LOSES_ALL, KEEPS_ALL]) {
      const { replayed } = await openJournal(disk.afterPowerFailure(failure), 2);
      expect(replayed).toEqual([{ first: true }, { n: 4 }]);
    }
  });

  it('acknowledges nothing after a sync that failed', async () => {
    const disk = new SimulatedDisk('/queue');
    let failing = false;
    const files = withFiles(disk, (file) => ({
      ...file,
      sync: async () => {
        if (failing) throw new Error('EIO');
        await file.sync();
      },
    }));
    const { journal } = await openJournal(files);
    failing = true;
    await expect(journal.append({ lost: true }, ignored)).rejects.toThrow(QueueClosedError);
    failing = false;
    await expect(journal.append({ later: true }, ignored)).rejects.toThrow(
      'The disk could not make the queue safe (EIO); open it anew to see what is there',
    );
  });

  // Its checksum, or its text. Not a length: where the next one begins is not known then.
  it.each([16, 22])(
    'tells of damage anywhere but at its end, and reads what is beside it (%i)',
    async (at) => {
      const disk = new SimulatedDisk('/queue');
      const { journal } = await openJournal(disk);
      const places: Place[] = [];
      for (let i = 0; i < 4; i++)
        await journal.append({ i }, (place) => places.push(place), new Uint8Array(50));
      await openJournal(disk, 2);
      const [name = ''] = [...(await disk.list('/queue'))].sort();
      const file = await disk.open(`/queue/${name}`);
      const content = Buffer.from(await file.read(0, await file.size()));
      const { offset } = places[1] as Place;
      content.writeUInt8(content.readUInt8(offset + at) ^ 1, offset + at);
      // Without its summary, which would be read in their place.
      content.fill(0, content.indexOf('"journal":"end"'));
      await file.write(content, 0);
      const { replayed, damages } = await openJournal(disk, 3);
      expect(replayed).toEqual([{ i: 0 }, { i: 2 }, { i: 3 }]);
      expect(damages).toMatchObject([{ path: `/queue/${name}`, offset }]);
    },
  );

  it('does not take a body for records', async () => {
    const disk = new SimulatedDisk('/queue');
    const { journal } = await openJournal(disk);
    const forged = encodeRecord({ forged: true }).write(0);
    await journal.append({ honest: true }, ignored, Buffer.concat([forged, forged]));
    expect((await openJournal(disk, 2)).replayed).toEqual([{ honest: true }]);
  });
});
