/** A file system of which each call goes through a hand. */
import type { FileSystem, StoreFile } from './file-system.js';

export interface Hooks {
  /** A call that changes something. @param what the call and the path */
  change<T>(what: string, task: () => Promise<T>): Promise<T>;
  look<T>(task: () => Promise<T>): Promise<T>;
}

export function hooked(files: FileSystem, { change, look }: Hooks): FileSystem {
  const hookedFile = (path: string, file: StoreFile): StoreFile => ({
    write: (bytes, position) => change(`write ${path}`, () => file.write(bytes, position)),
    // Power may fail between the two.
    async writeSynced(bytes, position) {
      await this.write(bytes, position);
      await this.sync();
    },
    read: (position, length) => look(() => file.read(position, length)),
    size: () => look(() => file.size()),
    truncate: (size) => change(`truncate ${path}`, () => file.truncate(size)),
    sync: () => change(`sync ${path}`, () => file.sync()),
    close: () => file.close(),
  });
  const create = (path: string, task: () => Promise<StoreFile>) =>
    change(`create ${path}`, async () => hookedFile(path, await task()));
  return {
    makeFolder: (path) => change(`makeFolder ${path}`, () => files.makeFolder(path)),
    list: (path) => look(() => files.list(path)),
    create: (path) => create(path, () => files.create(path)),
    createSynced: (path) => create(path, () => files.createSynced(path)),
    open: (path) => look(async () => hookedFile(path, await files.open(path))),
    remove: (path) => change(`remove ${path}`, () => files.remove(path)),
    freeOctets: (path) => look(() => files.freeOctets(path)),
    syncFolder: (path) => change(`syncFolder ${path}`, () => files.syncFolder(path)),
  };
}
