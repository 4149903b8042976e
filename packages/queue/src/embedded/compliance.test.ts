import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { type StoreUnderTest, storeComplianceCases } from '../compliance/index.js';
import type { FileSystem } from './disk/file-system.js';
import { MortalFiles } from './disk/mortal-files.test-support.js';
import { nodeFileSystem } from './disk/node-file-system.js';
import { LOSES_ALL, SimulatedDisk } from './disk/simulated-disk.test-support.js';
import { openStore } from './embedded-store.js';

/** Small enough for the cases to fill many. */
const SEGMENT_OCTETS = 2000;

function underTest(disk: { files: FileSystem; directory: string; losePower(): void }): StoreUnderTest {
  let mortal = new MortalFiles(disk.files);
  let epoch = 0;
  return {
    open: (limits) =>
      openStore(mortal.files, disk.directory, {
        epoch: ++epoch,
        reserve: 0,
        segmentOctets: SEGMENT_OCTETS,
        ...limits,
      }),
    dieAfter: (steps) => mortal.dieAfter(steps),
    async crash() {
      await mortal.die();
      disk.losePower();
      mortal = new MortalFiles(disk.files);
    },
  };
}

describe('the embedded store, on a disk that keeps no more than was synced', () => {
  const create = async (): Promise<StoreUnderTest> => {
    const disk = {
      files: new SimulatedDisk('/queue'),
      directory: '/queue',
      losePower: () => {
        disk.files = disk.files.afterPowerFailure(LOSES_ALL);
      },
    };
    return underTest(disk);
  };
  for (const { name, run } of storeComplianceCases) it(name, () => run(create), 120_000);
});

describe('the embedded store, in a folder of the machine', () => {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))));

  // Syncing takes long, and does nothing here: no power is lost.
  const unsynced = async (file: ReturnType<FileSystem['open']>) => ({
    ...(await file),
    sync: async () => {},
    writeSynced(bytes: Uint8Array, position: number) {
      return this.write(bytes, position);
    },
  });
  const files: FileSystem = {
    ...nodeFileSystem,
    create: (path) => unsynced(nodeFileSystem.create(path)),
    createSynced: (path) => unsynced(nodeFileSystem.create(path)),
    open: (path) => unsynced(nodeFileSystem.open(path)),
    syncFolder: async () => {},
  };
  const create = async (): Promise<StoreUnderTest> => {
    const directory = await mkdtemp(join(tmpdir(), 'queue-'));
    made.push(directory);
    return underTest({ files, directory, losePower: () => {} });
  };
  // Dying at each step is tried in memory, and by kill -9 on the disk: here it takes long and shows nothing more.
  const cases = storeComplianceCases.filter(({ name }) => !name.includes('at any step'));
  for (const { name, run } of cases) it(name, () => run(create), 120_000);
});
