/** The password of `send`: from a file or the environment, for what stands on a command line everybody can read. */
import { readFile } from 'node:fs/promises';
import { type ClientCredentials, Secret } from '@sansmtp/core';

export interface CredentialsOptions {
  readonly user?: string;
  readonly passwordFile?: string;
}

/**
 * Undefined where nobody is to authenticate.
 * @param environmentPassword `SANSMTP_PASSWORD`, which an option goes before
 * @throws {RangeError} there is a user without a password, or the other way round
 * @throws the system's error when the file cannot be read
 */
export async function readCredentials(
  { user: username, passwordFile }: CredentialsOptions,
  environmentPassword: string | undefined,
): Promise<ClientCredentials | undefined> {
  if (username === undefined) {
    if (passwordFile !== undefined) throw new RangeError('--password-file needs --user');
    return undefined;
  }
  if (passwordFile === undefined && environmentPassword === undefined) {
    throw new RangeError('--user needs a password: give --password-file or SANSMTP_PASSWORD');
  }
  // An editor ends a file with a line end; no password does.
  const text = passwordFile === undefined ? undefined : await readFile(passwordFile, 'utf8');
  const password = new Secret(text?.replace(/\r?\n$/, '') ?? environmentPassword ?? '');
  return { kind: 'password', username, password };
}
