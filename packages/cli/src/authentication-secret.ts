/**
 * What `serve` makes the salts of users who do not exist from. It stands in the Maildir's folder, in a file that only its
 * owner can read: so all workers share it, and a restart does not change what a client is shown.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
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

/** @param directory the Maildir's; undefined: nothing is stored, and a secret lasts as long as the process */
export async function authenticationSecret(directory: string | undefined): Promise<Secret> {
  if (directory === undefined) return new Secret(new Uint8Array(randomBytes(OCTETS)));
  const file = join(directory, FILE);
  const known = await read(file);
  if (known !== undefined) return known;
  // Complete before it has its name, so that no other process reads half of it; the first one counts.
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, randomBytes(OCTETS), { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return (await read(file)) ?? authenticationSecret(directory);
}
