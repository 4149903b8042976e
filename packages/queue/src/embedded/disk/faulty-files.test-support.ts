/** File systems that do something else than they are told. */
import type { FileSystem, StoreFile } from './file-system.js';

/** With files of which something is changed. */
export function withFiles(
  files: FileSystem,
  change: (file: StoreFile, path: string) => StoreFile,
): FileSystem {
  return {
    ...delegating(files),
    create: async (path) => change(await files.create(path), path),
    open: async (path) => change(await files.open(path), path),
  };
}

/** The same file system as an object that can be spread. */
export function delegating(files: FileSystem): FileSystem {
  return {
    makeFolder: (path) => files.makeFolder(path),
    list: (path) => files.list(path),
    create: (path) => files.create(path),
    open: (path) => files.open(path),
    remove: (path) => files.remove(path),
    freeOctets: (path) => files.freeOctets(path),
    syncFolder: (path) => files.syncFolder(path),
  };
}
