/**
 * What `serve` makes the salts of users who do not exist from. It stands in the Maildir's folder, in a file that only its
 * owner can read: so all workers share it, and a restart does not change what a client is shown.
 */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@sansmtp/core';
import { systemCode } from '@sansmtp/transport-node';

const OCTETS = 32;
const FILE = 'sansmtp-authentication-secret';

async function read(file: string): Promise<Secret | undefined> {
  try {
    const octets = await readFile(file);
    if (octets.length >= OCTETS) return new Secret(new Uint8Array(octets));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  throw new RangeError(`${file} has fewer than ${OCTETS} octets: remove it, and a new one is made`);
}

/** Makes the entries of a folder outlive a power failure. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What file systems say that have no hard links, or not for us. */
const WITHOUT_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Writes a secret. It is complete, and on the disk, before it has its name: so nobody reads half of it, or finds it empty. */
async function makeSecret(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(randomBytes(OCTETS));
      await handle.sync();
    } finally {
      await handle.close();
    }
    // The first one counts.
    await link(draft, file);
  } catch (error) {
    if (WITHOUT_LINKS.has(systemCode(error))) return await rename(draft, file);
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft).catch(() => {});
  }
}

/** One that lasts as long as the process. */
export function passingSecret(): Uint8Array {
  return new Uint8Array(randomBytes(OCTETS));
}

/**
 * @param directory the Maildir's; undefined: nothing is stored
 * @param unstored what stands for it where nothing is stored
 */
export async function authenticationSecret(
  directory: string | undefined,
  unstored: () => Uint8Array = passingSecret,
): Promise<Secret> {
  if (directory === undefined) return new Secret(unstored());
  const file = join(directory, FILE);
  const known = await read(file);
  if (known !== undefined) return known;
  await makeSecret(file);
  await syncFolder(directory);
  return (await read(file)) ?? authenticationSecret(directory);
}
