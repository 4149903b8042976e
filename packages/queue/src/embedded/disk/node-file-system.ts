/**
 * The file system of the machine.
 *
 * What may wait for the disk is done by a thread. What the system answers from memory (how much is free, the closing of a file) is
 * asked at once: on a busy machine the way to a thread and back takes longer than all else about a small message.
 */
import * as fs from 'node:fs';
import { mkdir, readdir, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FileSystem, StoreFile } from './file-system.js';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;

/**
 * Each write then takes with it what fdatasync(2) would (open(2)), and waits once for a thread and not twice. Not so on macOS,
 * where only a sync of Node's own reaches the disk itself.
 */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : undefined;

const open = promisify(fs.open);
const sync = promisify(fs.fsync);
const syncData = promisify(fs.fdatasync);
const truncate = promisify(fs.ftruncate);
const stat = promisify(fs.fstat);

export const nodeFileSystem: FileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  },
  list: (path) => readdir(path),
  create: async (path) => storeFile(await open(path, O_RDWR | O_CREAT | O_EXCL, FILE_MODE)),
  async createSynced(path) {
    const descriptor = await open(path, O_RDWR | O_CREAT | O_EXCL | (O_DSYNC ?? 0), FILE_MODE);
    return storeFile(descriptor, O_DSYNC !== undefined);
  },
  open: async (path) => storeFile(await open(path, O_RDWR)),
  remove: (path) => unlink(path),
  async freeOctets(path) {
    const { bavail, bsize } = fs.statfsSync(path);
    return bavail * bsize;
  },
  async syncFolder(path) {
    const descriptor = fs.openSync(path, 'r');
    try {
      await sync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  },
};

/** @param isSynced each write to it is synced */
function storeFile(descriptor: number, isSynced = false): StoreFile {
  const write = async (bytes: Uint8Array, position: number): Promise<void> => {
    for (let written = 0; written < bytes.length; ) {
      const left = bytes.length - written;
      written += await writeSome(descriptor, bytes, written, left, position + written);
    }
  };
  return {
    write,
    async writeSynced(bytes, position) {
      await write(bytes, position);
      if (!isSynced) await syncData(descriptor);
    },
    async read(position, length) {
      // Memory of its own, which is not filled with zeros first.
      const bytes = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const octets = await readSome(descriptor, bytes, filled, length - filled, position + filled);
        if (octets === 0) break;
        filled += octets;
      }
      return bytes.subarray(0, filled);
    },
    size: async () => (await stat(descriptor)).size,
    truncate: (size) => truncate(descriptor, size),
    // Its size included (fdatasync(2)); when it was changed is of no interest.
    sync: () => syncData(descriptor),
    close: async () => fs.closeSync(descriptor),
  };
}

/** Octets that were written. */
function writeSome(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, offset, length, position, (error, octets) =>
      error === null ? resolve(octets) : reject(error),
    );
  });
}

/** Octets that were read; 0 at the end of the file. */
function readSome(
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, bytes, offset, length, position, (error, octets) =>
      error === null ? resolve(octets) : reject(error),
    );
  });
}
