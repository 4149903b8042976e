/** File systems that do something else than they are told. */
import type { FileSystem, StoreFile } from './file-system.js';

/** With files of which something is changed. */
export function withFiles(
  files: FileSystem,
  change: (file: StoreFile, path: string) => StoreFile,
): FileSystem {
  const changed = (file: StoreFile, path: string): StoreFile => {
    const one = change(file, path);
    // So that what is changed of a write or a sync is so here, too.
    const writeSynced: StoreFile['writeSynced'] = async (bytes, position) => {
      await one.write(bytes, position);
      await one.sync();
    };
    return { ...one, writeSynced };
  };
  return {
    ...delegating(files),
    create: async (path) => changed(await files.create(path), path),
    createSynced: async (path) => changed(await files.createSynced(path), path),
    open: async (path) => changed(await files.open(path), path),
  };
}

/** The same file system as an object that can be spread. */
export function delegating(files: FileSystem): FileSystem {
  return {
    makeFolder: (path) => files.makeFolder(path),
    list: (path) => files.list(path),
    create: (path) => files.create(path),
    createSynced: (path) => files.createSynced(path),
    open: (path) => files.open(path),
    remove: (path) => files.remove(path),
    freeOctets: (path) => files.freeOctets(path),
    syncFolder: (path) => files.syncFolder(path),
  };
}
