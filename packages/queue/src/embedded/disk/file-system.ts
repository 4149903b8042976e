/**
 * What the store needs of a file system, and all that it uses: so that a simulated disk can take its place, which records
 * each call, loses power after any of them, and keeps no more than was synced.
 */

/** An open file. Positions are octets from its beginning. */
export interface StoreFile {
  /** Writes all of it. Not safe before `sync()`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Writes all of it, and makes that outlive a power failure.
   * @throws the system's error; unless that is a lack of room (`isNoRoom`), nobody knows what of the file is safe then
   */
  writeSynced(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `length` octets; fewer only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Makes all that was written before the call outlive a power failure. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk or the user's share of it is full, or the file as long as it may be: what was to be written is not there, or in part. */
export function isNoRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as { readonly code?: string }).code ?? '');
}

export interface FileSystem {
  /** Makes a folder for this user only, unless it is there. */
  makeFolder(path: string): Promise<void>;
  /** The names in a folder. */
  list(path: string): Promise<readonly string[]>;
  /** Makes a file for this user only. @throws the system's error: `EEXIST` if there is one */
  create(path: string): Promise<StoreFile>;
  /** Likewise a file of which each write is to be synced: that can take one call of the system where others take two. */
  createSynced(path: string): Promise<StoreFile>;
  /** Opens a file for reading and writing. @throws the system's error: `ENOENT` if there is none */
  open(path: string): Promise<StoreFile>;
  remove(path: string): Promise<void>;
  /** Octets that this user may still write. */
  freeOctets(path: string): Promise<number>;
  /** Makes the entries of a folder outlive a power failure: files made and removed before the call. */
  syncFolder(path: string): Promise<void>;
}
