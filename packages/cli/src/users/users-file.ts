/**
 * The file of `serve --users-file`: a user a line, `NAME:PASSWORD`, or `NAME:` and keys of SCRAM as PostgreSQL writes them.
 *
 * It is taken whole or not at all, and what is wrong with it is said by the line's number: never by its text.
 */
import { stat } from 'node:fs/promises';
import { Secret, type StoredCredentials, saslPrepare } from '@sansmtp/core';
import { MAXIMUM_STORED_ITERATIONS } from '@sansmtp/transport';
import { readOptionFile } from '../option-file.js';

const KEYS =
  /^SCRAM-SHA-256\$(\d{1,10}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2}):([A-Za-z0-9+/]+={0,2})$/;
const KEY_OCTETS = 32;
const MINIMUM_ITERATIONS = 4096;

class LineError extends RangeError {}

function keysIn(text: string): StoredCredentials {
  const [, count = '', ...encoded] = KEYS.exec(text) ?? [];
  const [salt, storedKey, serverKey] = encoded.map((each) => new Uint8Array(Buffer.from(each, 'base64')));
  if (storedKey?.length !== KEY_OCTETS || serverKey?.length !== KEY_OCTETS || !salt?.length) {
    throw new LineError(
      'is not NAME:SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY, the last three in base64',
    );
  }
  const iterations = Number(count);
  if (iterations < MINIMUM_ITERATIONS || iterations > MAXIMUM_STORED_ITERATIONS) {
    throw new LineError(`has iterations outside of ${MINIMUM_ITERATIONS} to ${MAXIMUM_STORED_ITERATIONS}`);
  }
  const [stored, server] = [new Secret(storedKey), new Secret(serverKey)];
  return { kind: 'scram', hash: 'SHA-256', salt, iterations, storedKey: stored, serverKey: server };
}

function userIn(line: string): readonly [string, StoredCredentials] {
  const colon = line.indexOf(':');
  const name = saslPrepare(line.slice(0, Math.max(colon, 0)), 'stored');
  if (colon < 0 || !name)
    throw new LineError('is not NAME:PASSWORD with a name that has no control characters');
  const rest = line.slice(colon + 1);
  if (rest.startsWith('SCRAM-SHA-')) return [name, keysIn(rest)];
  const password = saslPrepare(rest, 'stored');
  if (!password) throw new LineError('has no password, or one with control characters');
  return [name, { kind: 'password', password: new Secret(password) }];
}

/** @throws {RangeError} it is no such file; the message names the line, and shows nothing of it */
export function parseUsers(octets: Uint8Array): ReadonlyMap<string, StoredCredentials> {
  const users = new Map<string, StoredCredentials>();
  let begin = 0;
  for (let number = 1; begin < octets.length; number++) {
    const found = octets.indexOf(0x0a, begin);
    const end = found === -1 ? octets.length : found;
    try {
      // Each line by itself, so that the one that is no UTF-8 can be named.
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: number > 1 }).decode(
        octets.subarray(begin, end),
      );
      const line = text.endsWith('\r') ? text.slice(0, -1) : text;
      if (line.trim() !== '' && !line.startsWith('#')) {
        const [name, credentials] = userIn(line);
        if (users.has(name)) throw new LineError('has a name that another line has');
        users.set(name, credentials);
      }
    } catch (error) {
      const what = error instanceof LineError ? error.message : 'is not UTF-8';
      throw new RangeError(`line ${number} ${what}`);
    }
    begin = end + 1;
  }
  return users;
}

export interface UsersFile {
  readonly users: ReadonlyMap<string, StoredCredentials>;
  /** Whoever has an account on this machine can read it. */
  readonly exposed: boolean;
}

/** @throws {RangeError} it cannot be read, or is malformed: the message names the option and the file */
export async function readUsersFile(path: string): Promise<UsersFile> {
  const octets = await readOptionFile('--users-file', path);
  const { mode } = await stat(path);
  try {
    return { users: parseUsers(octets), exposed: process.platform !== 'win32' && (mode & 0o004) !== 0 };
  } catch (error) {
    throw new RangeError(`--users-file: ${path}: ${(error as Error).message}`);
  }
}
