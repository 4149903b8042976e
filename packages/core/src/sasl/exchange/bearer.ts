/**
 * What XOAUTH2 and OAUTHBEARER have in common: a bearer token (RFC 6750), in fields that end in %x01.
 */
import { Secret } from '../../secret.js';
import { decodeText } from '../../wire/octets.js';

/** Ends a field, and once more the message (RFC 7628 §3.1). */
export const FIELD_END = '\u0001';

const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * `Bearer <token>`; undefined where the token is none (RFC 6750 §2.1): it could end its field, and begin
 * another.
 */
export function bearerAuthorization(token: Secret): string | undefined {
  const text = decodeText(token.reveal()) ?? '';
  return TOKEN.test(text) ? `Bearer ${text}` : undefined;
}

/** The token of `Bearer <token>`; undefined where there is none (RFC 6750 §2.1). */
export function bearerToken(authorization: string): Secret | undefined {
  const token = /^bearer +(.*)$/is.exec(authorization)?.[1] ?? '';
  return TOKEN.test(token) ? new Secret(token) : undefined;
}

/**
 * Fields by their keys, of a text in which each ends in %x01, and the last in another one. Undefined where it
 * is something else, or says one thing twice (RFC 7628 §3.1).
 */
export function parseFields(text: string): ReadonlyMap<string, string> | undefined {
  const lines = text.split(FIELD_END);
  if (lines.pop() !== '' || lines.pop() !== '') return undefined;
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, key] = /^([A-Za-z]+)=/.exec(line) ?? [];
    if (key === undefined || fields.has(key)) return undefined;
    fields.set(key, line.slice(key.length + 1));
  }
  return fields;
}
