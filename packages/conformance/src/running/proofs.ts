/**
 * What a client shows in the place of a password: the digest of CRAM-MD5 (RFC 2195) and the proof of SCRAM-SHA-256 (RFC 5802,
 * RFC 7677).
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Credentials } from '../contract/target.js';
import { CannotJudge } from '../dialogue/findings.js';

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

// CRAM-MD5

/** A challenge has to be one (RFC 2195 §2). */
export const MSG_ID = /^<[^<>@\s]+@[^<>@\s]+>$/;

export const digestOf = (challenge: string, { user, password }: Credentials): string =>
  `${user} ${createHmac('md5', password).update(challenge, 'latin1').digest('hex')}`;

// SCRAM-SHA-256

/** Iterations that are computed at most: they take a second. */
const MOST_ITERATIONS = 1_000_000;
/** Ours. */
export const NONCE = 'rOprNGfwEbeRWgbNEkqO';
/** The form of the server's first message. */
export const SERVER_FIRST = /^r=([!-+\--~]+),s=([A-Za-z\d+/]+=*),i=(\d+)(?:,|$)/;

export interface ServerFirst {
  readonly text: string;
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The first message without its header. */
export const firstBareOf = ({ user }: Credentials): string =>
  `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${NONCE}`;

export function readServerFirst(text: string): ServerFirst {
  const [, nonce = '', salt = '', iterations = ''] = SERVER_FIRST.exec(text) ?? [];
  return { text, nonce, salt: Buffer.from(salt, 'base64'), iterations: Number(iterations) };
}

/**
 * The final message, and the signature by which the server then shows that it knows the password's keys (RFC 5802 §3).
 * @throws {CannotJudge} the server's first message was none, or asks for more iterations than are computed
 */
export function finalOf(
  credentials: Credentials,
  { text, nonce, salt, iterations }: ServerFirst,
  { gs2 = 'n,,', sentNonce = nonce } = {},
): { readonly message: string; readonly signature: string } {
  if (!(iterations >= 1 && iterations <= MOST_ITERATIONS))
    throw new CannotJudge(`the first message is ${text}`);
  const salted = pbkdf2Sync(credentials.password, salt, iterations, 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  const bare = `c=${base64(gs2)},r=${sentNonce}`;
  const signed = `${firstBareOf(credentials)},${text},${bare}`;
  const mask = hmac(storedKey, signed);
  const proof = clientKey.map((octet, index) => octet ^ (mask[index] ?? 0));
  return {
    message: `${bare},p=${base64(proof)}`,
    signature: `v=${base64(hmac(hmac(salted, 'Server Key'), signed))}`,
  };
}
