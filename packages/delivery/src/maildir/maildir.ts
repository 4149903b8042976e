/**
 * Maildir: a folder of messages, one file each, that needs no locks.
 *
 * A message is written to `tmp/`, where its file is made as soon as it begins, and synced; it is renamed into `new/`, and
 * `new/` is synced, once for all that wait for it. It is this order by which at any moment a reader sees whole messages only,
 * and what was reported as stored outlives a crash or a power failure. A rename would take the place of a message of the same
 * name: that there is none is what the name is made for. Whatever fails on the way, no file is left; what a crash leaves in
 * `tmp/` is swept after 36 hours. Readers of mail move messages from `new/` to `cur/`.
 *
 * A file holds trace header lines and then the message byte for byte as it came. Its lines end in CRLF, and so do
 * those put in front of it: a file with both kinds could not be told from a damaged one.
 */
import { mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkNames, isHostName } from '@sansmtp/core';
import type { IncomingMessage, ServerSessionInformation } from '@sansmtp/transport';
import { close, openFolder, sync } from './file-calls.js';
import { writeMessageFile } from './message-file.js';
import { sharedSync } from './shared-sync.js';
import { deliveryHeader, receivedField } from './trace-header.js';
import { uniqueName } from './unique-name.js';

/** Milliseconds since a file in `tmp/` was written to, after which nobody writes it any more (the Maildir convention). */
const ABANDONED_AFTER = 36 * 3_600_000;

/** Milliseconds from one sweep of `tmp/` to the next. */
const SWEEP_INTERVAL = 3_600_000;

const FOLDER_MODE = 0o700;

export interface MaildirOptions {
  /**
   * The name of this host in file names and `Received:` lines: a domain or an address literal.
   * @default the machine's; 'localhost' if that is neither
   */
  readonly hostname?: string;
}

export interface StoredMessage {
  /** Names the delivery; part of the file's name and of its `Received:` line. */
  readonly id: string;
  readonly path: string;
  /** Octets of the message, without the lines put in front of it. */
  readonly size: number;
}

/** What a Maildir stores: a message as `onMessage` gets it, or one with a body from elsewhere. */
export type StorableMessage = Pick<IncomingMessage, 'envelope'> & {
  readonly body: AsyncIterable<Uint8Array>;
};

export interface Maildir {
  /** Absolute. */
  readonly directory: string;
  /**
   * Stores a message. Once it resolves, the message is safe: only then tell the client so. May be called again
   * before that.
   * @param session how it came here, for its `Received` field; left out: the message has that field already, as one that
   *   waited in a queue does
   * @throws what `message.body` throws, and the system's error when it cannot be stored (`ENOSPC`, `EDQUOT`,
   *   `EACCES`, …): nothing is stored then
   */
  deliver(message: StorableMessage, session?: ServerSessionInformation): Promise<StoredMessage>;
}

/** Makes the entries of a folder outlive a crash. */
async function syncFolder(path: string): Promise<void> {
  const descriptor = await openFolder(path);
  try {
    await sync(descriptor);
  } finally {
    close(descriptor);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Makes a folder, and those above it. Not by Node's own recursion: in a place like /proc that never ends. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  try {
    await mkdir(path, FOLDER_MODE);
  } catch (error) {
    // Another process, or thread, may have been faster.
    if (!(await isFolder(path))) throw error;
  }
  // The new folder is an entry of the one above it.
  await syncFolder(above);
}

/** Deletes what crashes have left in `tmp/`. What cannot be looked at or deleted stays: no delivery depends on it. */
async function sweep(temporary: string, now: number): Promise<void> {
  const names = await readdir(temporary).catch(() => []);
  for (const name of names) {
    const path = join(temporary, name);
    try {
      const found = await stat(path);
      if (found.isFile() && now - found.mtimeMs > ABANDONED_AFTER) await unlink(path);
    } catch {}
  }
}

/**
 * The name by which mail is received. It goes into a header line, so what is neither of RFC 5321 §4.4's two kinds of
 * names is not let through: a line end in it would begin a line of its own.
 */
function hostNameOf({ hostname }: MaildirOptions): string {
  if (hostname === undefined) return isHostName(machineName()) ? machineName() : 'localhost';
  if (typeof hostname === 'string' && isHostName(hostname)) return hostname;
  throw new RangeError(
    `hostname is ${JSON.stringify(hostname)}: give a domain, or an address literal such as [192.0.2.1]`,
  );
}

/**
 * Opens a Maildir. Its folders are made where they are missing, for this user only.
 * @throws {TypeError} there is no path, or an option is not known; nothing is made then
 * @throws {RangeError} `hostname` is neither a domain nor an address literal; nothing is made then
 * @throws the system's error when they cannot be made
 */
export async function openMaildir(path: string, options: MaildirOptions = {}): Promise<Maildir> {
  if (typeof path !== 'string' || path === '') {
    const given = path === undefined ? 'missing' : JSON.stringify(path);
    throw new TypeError(`The path of the Maildir is ${given}; it takes the name of a folder`);
  }
  checkNames('The option', options, ['hostname']);
  const hostname = hostNameOf(options);
  const directory = resolve(path);
  for (const name of ['tmp', 'new', 'cur']) await makeFolder(join(directory, name));
  const syncNew = sharedSync(() => syncFolder(join(directory, 'new')));
  let sweptAt = Date.now();
  await sweep(join(directory, 'tmp'), sweptAt);

  return {
    directory,
    async deliver({ envelope, body }, session) {
      const date = new Date();
      if (date.getTime() - sweptAt > SWEEP_INTERVAL) {
        sweptAt = date.getTime();
        void sweep(join(directory, 'tmp'), sweptAt);
      }
      const { id, file } = uniqueName(hostname, date.getTime());
      const received = session && receivedField({ envelope, session, hostname, id, date });
      const header = Buffer.from(deliveryHeader(envelope) + (received ?? ''));
      const temporary = join(directory, 'tmp', file);
      const path = join(directory, 'new', file);
      const size = await writeMessageFile(temporary, header, body);
      let moved = false;
      try {
        await rename(temporary, path);
        moved = true;
        await syncNew();
        return { id, path, size };
      } catch (error) {
        // That it failed is what matters. A file in `new/` that this delivery did not put there is somebody else's.
        await unlink(moved ? path : temporary).catch(() => {});
        throw error;
      }
    },
  };
}
