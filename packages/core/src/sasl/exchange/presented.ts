/**
 * Names and passwords as a client presents them: text in UTF-8 without NUL, and bounded, so that whoever
 * looks them up need not be. Names are prepared (SASLprep), so that one name has one spelling, and none holds a
 * control character (RFC 4013 §2.3); how stored passwords were prepared only their keeper knows.
 */

import { Secret } from '../../secret.js';
import { decodeText, NUL } from '../../wire/octets.js';
import { saslPrepare } from './prepare.js';

/** RFC 4616 §2 wants 255 octets at least of a user name, an authorization identity and a password. */
const MAXIMUM_OCTETS = 1024;

function presentedText(octets: Uint8Array): string | undefined {
  return octets.length > MAXIMUM_OCTETS || octets.includes(NUL) ? undefined : decodeText(octets);
}

/**
 * A user name or an authorization identity, prepared; empty only if it came so. Undefined where it is none, or has
 * characters that SASLprep prohibits (RFC 4954 §4).
 */
export function presentedName(octets: Uint8Array): string | undefined {
  const text = presentedText(octets);
  return text === '' ? text : saslPrepare(text ?? '', 'query') || undefined;
}

/** A password; undefined where it is none, as when it is empty (RFC 4616 §2). */
export function presentedPassword(octets: Uint8Array): Secret | undefined {
  return octets.length === 0 || presentedText(octets) === undefined ? undefined : new Secret(octets);
}

/** On whose behalf they act; nothing where that is their own (RFC 4422 §3.4.1). */
export function onBehalfOf(
  authorizationIdentity: string | undefined,
  username: string,
): { readonly authorizationIdentity?: string } {
  return !authorizationIdentity || authorizationIdentity === username ? {} : { authorizationIdentity };
}
