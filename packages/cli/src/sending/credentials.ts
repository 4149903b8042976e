/** The password for another host: from a file or the environment, for what stands on a command line everybody can read. */
import { type ClientCredentials, Secret } from '@sansmtp/core';
import { readOptionFile } from '../option-file.js';

export interface CredentialsOptions {
  readonly user?: string;
  readonly passwordFile?: string;
}

/** The options, as errors name them. */
export interface CredentialsOptionNames {
  readonly user: string;
  readonly passwordFile: string;
}

const NAMES: CredentialsOptionNames = { user: '--user', passwordFile: '--password-file' };

const [NUL, LF, CR] = [0x00, 0x0a, 0x0d];

/** An editor ends a file with a line end; no password does. */
function withoutLineEnd(octets: Uint8Array): Uint8Array {
  if (octets.at(-1) !== LF) return octets;
  return octets.subarray(0, octets.at(-2) === CR ? -2 : -1);
}

/**
 * Undefined where nobody is to authenticate.
 * @param environmentPassword `SANSMTP_PASSWORD`, which an option goes before
 * @throws {RangeError} there is a user without a password, or the other way round; or no mechanism can carry the
 *   password: none is empty or holds NUL (RFC 4616 §2); or the file cannot be read
 */
export async function readCredentials(
  { user: username, passwordFile }: CredentialsOptions,
  environmentPassword: string | undefined,
  names = NAMES,
): Promise<ClientCredentials | undefined> {
  if (username === undefined) {
    if (passwordFile !== undefined) throw new RangeError(`${names.passwordFile} needs ${names.user}`);
    return undefined;
  }
  const source = passwordFile === undefined ? 'SANSMTP_PASSWORD' : `${names.passwordFile} ${passwordFile}`;
  // As octets: what is not UTF-8 is not for us to alter.
  const given =
    passwordFile === undefined
      ? environmentPassword
      : withoutLineEnd(await readOptionFile(names.passwordFile, passwordFile));
  if (given === undefined) {
    throw new RangeError(`${names.user} needs a password: give ${names.passwordFile} or SANSMTP_PASSWORD`);
  }
  const password = new Secret(given);
  const octets = password.reveal();
  if (octets.length === 0) throw new RangeError(`The password is empty: ${source}`);
  if (octets.includes(NUL)) throw new RangeError(`No password holds NUL (RFC 4616 §2): ${source}`);
  return { kind: 'password', username, password };
}
