/** Has the digests of AUTH computed. */
import type { Computation } from '@sansmtp/core';
import { derivationsOf } from '../authentication/derivations.js';
import { type Cryptography, webCryptography } from '../cryptography.js';
import { isPromiseLike } from '../handlers/handler-answers.js';
import { Rejection } from '../handlers/handlers.js';

const NONE = new Uint8Array(0);

/** The session that wants a digest. */
export interface Wanting {
  /** It has not given up waiting in the meantime. */
  isWaiting(): boolean;
  /** Resolves when the client has left. */
  readonly left: Promise<void>;
  /** What the cryptography threw, or gave that is no digest. */
  onFault(error: unknown): void;
}

/** The digest, at once if it can be had, else when its promise settles, which never rejects; undefined: there is none. */
export function compute(
  computation: Computation,
  given: Cryptography | undefined,
  { isWaiting, left, onFault }: Wanting,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  // Too many wait for theirs: no fault, and a matter of a moment.
  const fail = (error: unknown): undefined => {
    if (!(error instanceof Rejection)) onFault(error);
  };
  const check = (result: unknown): Uint8Array | undefined =>
    result instanceof Uint8Array
      ? result
      : fail(new TypeError('The cryptography computed something else than a Uint8Array'));
  const cryptography = given ?? webCryptography();
  // Whoever has left meanwhile needs none any more, and leaves the place to others.
  const derive = async () =>
    isWaiting() ? Promise.race([cryptography.compute(computation), left.then(() => NONE)]) : NONE;
  try {
    const result =
      computation.kind === 'pbkdf2' ? derivationsOf(given)(derive) : cryptography.compute(computation);
    return isPromiseLike(result) ? Promise.resolve(result).then(check, fail) : check(result);
  } catch (error) {
    return fail(error);
  }
}
