/**
 * Power fails after each system call of a story, and of what was not synced then, anything may be there: none of it, all, or
 * any part, in any order. Whatever is found, the queue opens and keeps its promises; also if the power fails once more
 * while it opens, and after it went on.
 */
import { describe, expect, it } from 'vitest';
import { Ledger, tellStory } from '../compliance/index.js';
import type { QueueDamage } from './damaged-folder.js';
import { delegating, withFiles } from './disk/faulty-files.test-support.js';
import type { FileSystem, StoreFile } from './disk/file-system.js';
import { MortalFiles } from './disk/mortal-files.test-support.js';
import {
  KEEPS_ALL,
  LOSES_ALL,
  type PowerFailure,
  randomFailure,
  SimulatedDisk,
} from './disk/simulated-disk.test-support.js';
import { SteppingFiles } from './disk/stepping-files.test-support.js';
import { openStore } from './embedded-store.js';

const DIRECTORY = '/queue';

/** Small enough for the story to fill many, and to have old ones removed. */
const SEGMENT_OCTETS = 2000;

/** Random failures at each call. */
const FAILURES = 3;

type Wrapped = (files: FileSystem) => FileSystem;

/** What was damaged, though no disk lost what was synced to it. */
let damage: string | undefined;

async function open(files: FileSystem, epoch: number) {
  const onDamage = ({ message }: QueueDamage) => {
    damage ??= message;
  };
  return openStore(files, DIRECTORY, { epoch, reserve: 0, segmentOctets: SEGMENT_OCTETS, onDamage });
}

interface Tried {
  /** Calls of the story that changed something. */
  readonly calls: readonly string[];
  readonly recoveries: number;
}

/**
 * Tells the story once. Before each call that changes something it stands still: whatever could be acknowledged has been, and
 * power fails then, on copies of the disk.
 * @param faulty what the store runs on, in the place of the disk
 */
async function tryFailures(faulty: Wrapped, failures: number): Promise<Tried> {
  const disk = new SimulatedDisk(DIRECTORY);
  const ledger = new Ledger();
  let recoveries = 0;
  damage = undefined;
  const stepping = new SteppingFiles(faulty(disk), async (count) => {
    const seeds = Array.from({ length: failures }, (_, i) => randomFailure(count * failures + i));
    for (const failure of [LOSES_ALL, KEEPS_ALL, ...seeds]) {
      recoveries += await recover(disk, ledger.copy(), faulty, failure);
    }
  });
  const store = await open(stepping.files, 1).catch(() => undefined);
  const isOver = store !== undefined && (await tellStory(store, ledger));
  await stepping.end();
  expect(isOver).toBe(true);
  return { calls: stepping.calls, recoveries };
}

/** @returns how often the queue was opened whole */
async function recover(
  disk: SimulatedDisk,
  ledger: Ledger,
  faulty: Wrapped,
  failure: PowerFailure,
): Promise<number> {
  let epoch = 2;
  const reopen = async (found: SimulatedDisk) => {
    const recovered = await open(faulty(found), epoch++);
    await ledger.check(recovered);
    if (damage !== undefined) throw new Error(damage);
    return recovered;
  };
  const found = disk.afterPowerFailure(failure);
  const dying = new MortalFiles(faulty(found));
  dying.dieAfter(Math.floor(failure.fraction() * 12));
  await open(dying.files, epoch++).catch(() => {});
  await dying.die();

  const again = found.afterPowerFailure(failure);
  const recovered = await reopen(again);
  await ledger.put(recovered, 'afterwards', ['bob@example.com'], 400);
  await reopen(again.afterPowerFailure(failure));
  return 2;
}

describe('power that fails', () => {
  it('after any system call loses nothing that was promised, and doubles nothing that was settled', async () => {
    const { calls, recoveries } = await tryFailures((files) => files, FAILURES);
    // The story does reach what is to be tried.
    expect(recoveries).toBeGreaterThan(1000);
    expect(calls.filter((call) => call.startsWith('create /queue/journal-')).length).toBeGreaterThan(3);
    expect(calls.filter((call) => call.startsWith('remove /queue/journal-')).length).toBeGreaterThan(1);
    expect(calls.some((call) => call.startsWith('remove /queue/bodies/'))).toBe(true);
  }, 300_000);
});

/** It is a test of the store only if it notices broken disks: each of these leaves out one thing. */
describe('the test notices a store that', () => {
  const unsynced = (file: StoreFile): StoreFile => ({ ...file, sync: async () => {} });

  const faults: Record<string, Wrapped> = {
    'does not sync the journal': (files) =>
      withFiles(files, (file, path) => (path.includes('journal-') ? unsynced(file) : file)),
    'does not sync bodies': (files) =>
      withFiles(files, (file, path) => (path.includes('bodies/') ? unsynced(file) : file)),
    'does not sync the folder': (files) => ({
      ...delegating(files),
      syncFolder: async (path) => {
        if (path.endsWith('bodies')) await files.syncFolder(path);
      },
    }),
    'does not sync the folder of bodies': (files) => ({
      ...delegating(files),
      syncFolder: async (path) => {
        if (!path.endsWith('bodies')) await files.syncFolder(path);
      },
    }),
    'syncs before it writes': (files) =>
      withFiles(files, (file) => {
        let late: (() => Promise<void>) | undefined;
        return {
          ...file,
          write: async (bytes, position) => {
            const copy = Uint8Array.from(bytes);
            late = () => file.write(copy, position);
          },
          sync: async () => {
            await file.sync();
            await late?.();
            late = undefined;
          },
        };
      }),
    'removes segments without syncing that': (files) => {
      let removed = false;
      return {
        ...delegating(files),
        remove: async (path) => {
          removed = true;
          await files.remove(path);
        },
        syncFolder: async (path) => {
          if (!removed) await files.syncFolder(path);
          removed = false;
        },
      };
    },
    'does not sync the summary of a segment': (files) =>
      withFiles(files, (file, path) => {
        let isSummary = false;
        return {
          ...file,
          write: async (bytes, position) => {
            isSummary = path.includes('journal-') && Buffer.from(bytes).includes('"journal":"summary"');
            await file.write(bytes, position);
          },
          sync: async () => {
            if (!isSummary) await file.sync();
          },
        };
      }),
    'does not cut off a torn end': (files) =>
      withFiles(files, (file) => ({ ...file, truncate: async () => {} })),
  };

  it.each(Object.entries(faults))(
    '%s',
    async (_, faulty) => {
      const broken =
        /^Does not hold after the crash|is damaged after octet|^ENOENT: \/queue\/bodies|^The body of message/;
      await expect(tryFailures(faulty, FAILURES)).rejects.toThrow(broken);
    },
    120_000,
  );
});
