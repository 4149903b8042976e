/** The file system of the machine. */
import { type FileHandle, mkdir, open, readdir, statfs, unlink } from 'node:fs/promises';
import type { FileSystem, StoreFile } from './file-system.js';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export const nodeFileSystem: FileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
  },
  list: (path) => readdir(path),
  create: async (path) => storeFile(await open(path, 'wx+', FILE_MODE)),
  open: async (path) => storeFile(await open(path, 'r+')),
  remove: (path) => unlink(path),
  async freeOctets(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  async syncFolder(path) {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

function storeFile(handle: FileHandle): StoreFile {
  return {
    async write(bytes, position) {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await handle.write(
          bytes,
          written,
          bytes.length - written,
          position + written,
        );
        written += bytesWritten;
      }
    },
    async read(position, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    size: async () => (await handle.stat()).size,
    truncate: (size) => handle.truncate(size),
    // Its size included (fdatasync(2)); when it was changed is of no interest.
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}
