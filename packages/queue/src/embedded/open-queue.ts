/** Opens the queue in a directory. */

import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkNames } from '@sansmtp/core';
import { DEFAULT_MAXIMUM_MESSAGES, type QueueLimits, type QueueStore } from '../contract/queue-store.js';
import type { QueueDamage } from './damaged-folder.js';
import { nodeFileSystem } from './disk/node-file-system.js';
import { openStore } from './embedded-store.js';
import { takeOwnership } from './ownership.js';

export interface OpenQueueOptions extends QueueLimits {
  /**
   * Octets that stay free on the disk. With less, `put` throws a `QueueFullError`: what is to be stored about
   * messages that were accepted still finds room, so that a full disk empties itself.
   * @default 67108864 (64 MiB)
   */
  readonly reserve?: number;
  /**
   * Told once of each part that the disk has lost of what was synced to it, found when the queue is opened or a message read. The
   * message leaves the queue, all others go on; what is left of it is copied into the folder `damaged` of the queue.
   * @default a warning of the process, which Node writes to stderr
   */
  readonly onDamage?: (damage: QueueDamage) => void;
}

const DEFAULT_RESERVE = 64 * 1024 * 1024;

/**
 * Opens the queue in a directory, which is made if it is missing, for this user only. Close it in the end; a process that
 * dies loses nothing by that.
 * @throws {QueueInUseError} another process has it open
 * @throws {QueueUnreadableError} a newer version wrote it
 * @throws {TypeError} there is no path, or an option is not known
 * @throws {RangeError} a limit or `reserve` is no number, or the path is too long for a Unix socket (103 octets)
 * @throws the system's error when the directory cannot be made, read or written
 */
export async function openQueue(path: string, options: OpenQueueOptions = {}): Promise<QueueStore> {
  if (typeof path !== 'string' || path === '') {
    const given = path === undefined ? 'missing' : JSON.stringify(path);
    throw new TypeError(`The path of the queue is ${given}; it takes the name of a folder`);
  }
  checkNames('The option', options, ['reserve', 'maximumMessages', 'maximumOctets', 'onDamage']);
  const { reserve = DEFAULT_RESERVE, maximumMessages = DEFAULT_MAXIMUM_MESSAGES } = options;
  const { maximumOctets = Number.POSITIVE_INFINITY, onDamage } = options;
  for (const [name, value] of Object.entries({ reserve, maximumMessages, maximumOctets })) {
    const isNumber =
      Number.isSafeInteger(value) || (value === Number.POSITIVE_INFINITY && name !== 'reserve');
    if (!isNumber || value < 0) throw new RangeError(`${name} is ${value}; it takes an integer from 0`);
  }
  const directory = resolve(path);
  await makeFolder(directory);
  const { epoch, release } = await takeOwnership(directory);
  try {
    return await openStore(nodeFileSystem, directory, {
      epoch,
      reserve,
      maximumMessages,
      maximumOctets,
      ...(onDamage !== undefined && { onDamage }),
      onClosed: release,
    });
  } catch (error) {
    await release();
    throw error;
  }
}

/** Makes a folder and those above it, each of which is an entry of the one above it to be synced. */
async function makeFolder(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    await nodeFileSystem.syncFolder(dirname(made));
  }
}
