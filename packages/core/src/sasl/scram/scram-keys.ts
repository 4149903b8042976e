/**
 * The keys of SCRAM (RFC 5802 §3), and how they come from a password. Generators, because the digests are the
 * host's to compute.
 */
import { checkLimit, checkWord } from '../../option-checks.js';
import { checkObject } from '../../option-names.js';
import { Secret } from '../../secret.js';
import { decodeText, encodeText } from '../../wire/octets.js';
import type { StoredCredentials } from '../exchange/exchange.js';
import { saslPrepare } from '../exchange/prepare.js';
import { type ComputeStep, compute, type Resumption } from '../exchange/steps.js';

/** The hash functions of SCRAM: SCRAM-SHA-1 (RFC 5802), SCRAM-SHA-256 (RFC 7677). */
export type ScramHash = 'SHA-1' | 'SHA-256';

/**
 * What a server keeps to check somebody's password by SCRAM, and from which nobody can log in elsewhere (RFC 5802 §3);
 * `scramKeys` makes it.
 */
export type ScramCredentials = Extract<StoredCredentials, { kind: 'scram' }>;

/** RFC 5802 §5.1, RFC 7677 §4. */
export const MINIMUM_ITERATIONS = 4096;

/** Some minutes of a machine: who asks for more does not want an answer. */
const MAXIMUM_ITERATIONS = 100_000_000;

/** For the options of both ends. */
export const ITERATIONS = { least: MINIMUM_ITERATIONS, most: MAXIMUM_ITERATIONS } as const;

export type Computing<Result> = Generator<ComputeStep, Result, Resumption>;

export function isIterationCount(iterations: number): boolean {
  return Number.isInteger(iterations) && iterations >= MINIMUM_ITERATIONS && iterations <= MAXIMUM_ITERATIONS;
}

/** Normalize(password) of RFC 5802 §2.2; undefined where it cannot be a password. */
export function preparePassword(password: Secret): Secret | undefined {
  const prepared = saslPrepare(decodeText(password.reveal()) ?? '', 'stored');
  return prepared ? new Secret(prepared) : undefined;
}

/** SaltedPassword of RFC 5802 §3. */
export function* saltedPassword(
  hash: ScramHash,
  prepared: Secret,
  salt: Uint8Array,
  iterations: number,
): Computing<Secret> {
  return new Secret(yield* compute({ kind: 'pbkdf2', hash, password: prepared, salt, iterations }));
}

export function* clientKey(hash: ScramHash, salted: Secret): Computing<Secret> {
  return new Secret(yield* compute({ kind: 'hmac', hash, key: salted, data: encodeText('Client Key') }));
}

export function* storedKey(hash: ScramHash, key: Secret): Computing<Secret> {
  return new Secret(yield* compute({ kind: 'hash', hash, data: key }));
}

export function* serverKey(hash: ScramHash, salted: Secret): Computing<Secret> {
  return new Secret(yield* compute({ kind: 'hmac', hash, key: salted, data: encodeText('Server Key') }));
}

/** What a server has to keep of a password that was prepared. */
export function* credentialsOf(
  hash: ScramHash,
  prepared: Secret,
  salt: Uint8Array,
  iterations: number,
): Computing<ScramCredentials> {
  const salted = yield* saltedPassword(hash, prepared, salt, iterations);
  return {
    kind: 'scram',
    hash,
    salt,
    iterations,
    storedKey: yield* storedKey(hash, yield* clientKey(hash, salted)),
    serverKey: yield* serverKey(hash, salted),
  };
}

/** What `scramKeys` makes keys from. */
export interface ScramKeysOptions {
  readonly hash: ScramHash;
  readonly password: Secret;
  /** Random octets, 16 or more, of this user alone. */
  readonly salt: Uint8Array;
  /** PBKDF2 iterations, from 4096 to 100,000,000 (RFC 7677 §4). */
  readonly iterations: number;
}

/**
 * What to keep of somebody's password so that they can log in with SCRAM, and whoever steals it nowhere else
 * (RFC 5802 §3). Resume each step that it yields with what the computation gives; it returns the credentials
 * with which to answer an exchange that retrieves them.
 *
 * @throws {RangeError} the salt is empty, the iterations are out of bounds, or the password is none: empty,
 *   not UTF-8, or with characters that SASLprep prohibits (RFC 4013 §2.3)
 */
export function scramKeys(options: ScramKeysOptions): Generator<ComputeStep, ScramCredentials, Uint8Array> {
  checkObject('The option', options, ['hash', 'password', 'salt', 'iterations']);
  const { hash, salt, iterations } = options;
  checkWord('hash', hash, ['SHA-256', 'SHA-1']);
  if (!(options.password instanceof Secret))
    throw new TypeError('The option password takes a Secret: new Secret(…)');
  if (!ArrayBuffer.isView(salt))
    throw new TypeError('The option salt takes a Uint8Array: give 16 random octets');
  if (salt.length === 0) throw new RangeError('The salt is empty; give 16 random octets');
  checkLimit('iterations', iterations, ITERATIONS);
  const prepared = preparePassword(options.password);
  if (prepared === undefined) {
    throw new RangeError(
      'The password is empty, not UTF-8, or has characters that SASLprep prohibits (RFC 4013 §2.3)',
    );
  }
  return credentialsOf(hash, prepared, salt, iterations);
}
