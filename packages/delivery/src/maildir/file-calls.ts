/**
 * What a Maildir asks of a file's descriptor.
 *
 * A small message waits for the disk and for threads, and the way to a thread and back takes longer than most of what is done
 * there. So what may wait for the disk is done by a thread, and the system is asked at once for what it answers from memory.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(fs.open);
const writeFile = promisify(fs.writeFile);
const syncFile = promisify(fs.fsync);

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

/**
 * Each write then takes with it what fdatasync(2) would (open(2)), and waits once for a thread and not twice. Not so on macOS,
 * where only a sync of Node's own reaches the disk itself.
 */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : undefined;

const FILE_MODE = 0o600;

/** Whether what is written to a file of `createSynced` outlives a crash without `sync`. */
export const writesAreSynced = O_DSYNC !== undefined;

/**
 * Makes a file, for this user only, with writes that are synced as far as the system has such.
 * @throws the system's error: `EEXIST` when there is one
 */
export const createSynced = (path: string): Promise<number> =>
  openFile(path, O_WRONLY | O_CREAT | O_EXCL | (O_DSYNC ?? 0), FILE_MODE);

/** Opens a file that there is, for writes that are not synced. */
export const open = (path: string): Promise<number> => openFile(path, O_WRONLY);

/** Opens a folder. */
export const openFolder = async (path: string): Promise<number> => fs.openSync(path, 'r');

/** Writes all octets, from where the last write ended; unlike write(2), which may stop halfway. */
export const write = (descriptor: number, octets: Uint8Array): Promise<void> => writeFile(descriptor, octets);

export const sync = (descriptor: number): Promise<void> => syncFile(descriptor);

export const close = (descriptor: number): void => fs.closeSync(descriptor);
