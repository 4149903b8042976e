/**
 * DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, by RSA or Ed25519.
 *
 * - A message is signed if it has exactly one From field, and the domains of its authors are the key's or below it. Any other goes on as
 *   it is: what is not signed is no worse than before, and a signature for somebody else's domain would be.
 * - What readers go by is oversigned: a second From, To, Cc, Subject, Date or Message-ID that somebody puts in front breaks the
 *   signature (RFC 6376 §8.15).
 * - The signature stands in front of the message, and the message is as it was, octet by octet: nothing may change its body any
 *   more.
 */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { comparableDomain, spoolBody } from '@sansmtp/delivery';
import { authorDomains } from './author-domains.js';
import { type Field, HeaderSection, relaxed } from './header-section.js';
import { RelaxedBodyHash } from './relaxed-body.js';

export interface DkimKey {
  /** Whose authors' mail it signs: those in this domain and below it. */
  readonly domain: string;
  /** The public key is in DNS at `SELECTOR._domainkey.DOMAIN`. */
  readonly selector: string;
  /** RSA of 1024 bits or more, or Ed25519; in PEM, or read already. */
  readonly privateKey: string | KeyObject;
}

/** Signs a message if one of the keys is for its author. @param now milliseconds since 1970 UTC */
export type DkimSigner = (message: AsyncIterable<Uint8Array>, now: number) => AsyncIterable<Uint8Array>;

const OVERSIGNED = ['from', 'to', 'cc', 'subject', 'date', 'message-id'];

/** Signed as often as they are there (RFC 6376 §5.4.1). */
const SIGNED = [
  'reply-to',
  'sender',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
  'content-id',
  'list-id',
  'list-unsubscribe',
  'list-unsubscribe-post',
];

/** RFC 8301 §3.2. */
const LEAST_RSA_BITS = 1_024;

/** RFC 6376 §3.1. */
const SELECTOR = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

interface ReadKey {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
}

function readKey({ domain: given, selector, privateKey }: DkimKey): ReadKey {
  const domain = comparableDomain(given);
  if (domain === undefined || domain.startsWith('[')) {
    throw new RangeError(`${JSON.stringify(given)} is no domain that mail can be signed for`);
  }
  if (!SELECTOR.test(selector)) {
    throw new RangeError(
      `${JSON.stringify(selector)} is no selector: it takes labels of letters, digits and hyphens`,
    );
  }
  let key: KeyObject;
  try {
    key = typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey;
  } catch (error) {
    // What OpenSSL says of it means nothing to people.
    const isEncrypted = /\bENCRYPTED\b/.test(privateKey as string);
    const problem = isEncrypted
      ? 'is encrypted; it takes one without a passphrase'
      : 'is none; it takes RSA or Ed25519, in PEM';
    throw new RangeError(`The private key of ${domain} ${problem}`, { cause: error });
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { domain, selector, key, algorithm: 'ed25519-sha256' };
  if (type !== 'rsa')
    throw new RangeError(`The private key of ${domain} is of the type ${type}; it takes RSA or Ed25519`);
  const bits = details?.modulusLength ?? 0;
  if (bits < LEAST_RSA_BITS) {
    throw new RangeError(
      `The private key of ${domain} has ${bits} bits; it takes ${LEAST_RSA_BITS} or more (RFC 8301 §3.2)`,
    );
  }
  return { domain, selector, key, algorithm: 'rsa-sha256' };
}

/** The key whose domain is the nearest to all authors. */
function keyFor(fields: readonly Field[], keys: readonly ReadKey[]): ReadKey | undefined {
  const from = fields.filter(({ name }) => name === 'from');
  const [only] = from;
  const domains = only && from.length === 1 ? authorDomains(only.value) : undefined;
  if (domains === undefined) return undefined;
  return keys
    .filter(({ domain }) => domains.every((each) => each === domain || each.endsWith(`.${domain}`)))
    .sort((one, other) => other.domain.length - one.domain.length)[0];
}

/** The fields to be signed, the last of a name first; without a field: one that must not be added. */
function chosen(fields: readonly Field[]): { readonly name: string; readonly field: Field | undefined }[] {
  const of = (name: string) =>
    fields
      .filter((field) => field.name === name)
      .reverse()
      .map((field) => ({ name, field }));
  return [...OVERSIGNED.flatMap((name) => [...of(name), { name, field: undefined }]), ...SIGNED.flatMap(of)];
}

/** In lines of 72 characters, each but the first begun with a blank. */
function folded(text: string): string {
  return (text.match(/.{1,72}/g) ?? []).join('\r\n ');
}

/** With colons between them, at which alone a line may be broken (RFC 6376 §3.5). */
function foldedNames(names: readonly string[]): string {
  const lines = [''];
  for (const [index, name] of names.entries()) {
    const text = index < names.length - 1 ? `${name}:` : name;
    if ((lines.at(-1) as string).length + text.length > 72) lines.push('');
    lines[lines.length - 1] += text;
  }
  return lines.join('\r\n ');
}

function signatureOf(fields: readonly Field[], bodyHash: string, key: ReadKey, now: number): string {
  const signed = chosen(fields);
  const names = foldedNames(signed.map(({ name }) => name));
  const value =
    ` v=1; a=${key.algorithm}; c=relaxed/relaxed; d=${key.domain};\r\n` +
    ` s=${key.selector}; t=${Math.floor(now / 1000)};\r\n h=${names};\r\n bh=${bodyHash};\r\n b=`;
  const own = relaxed({ name: 'dkim-signature', value: value.replaceAll('\r\n', '') });
  const hashed = [...signed.flatMap(({ field }) => field ?? []).map(relaxed), own].join('\r\n');
  const octets = Buffer.from(hashed, 'latin1');
  const signature =
    key.algorithm === 'rsa-sha256'
      ? sign('sha256', octets, key.key)
      : sign(null, createHash('sha256').update(octets).digest(), key.key);
  return `DKIM-Signature:${value}${folded(signature.toString('base64'))}\r\n`;
}

/**
 * Makes a signer. A message passes through it on its way into the queue: it is read to its end, up to 64 KiB in memory and more in a
 * temporary file, and then comes out with the signature in front.
 * @throws {RangeError} a domain, a selector or a key is none
 */
export function createDkimSigner(keys: readonly DkimKey[]): DkimSigner {
  const read = keys.map(readKey);
  return async function* signed(message, now) {
    const spool = spoolBody(message);
    try {
      const header = new HeaderSection();
      const body = new RelaxedBodyHash();
      for await (const chunk of spool.read()) {
        const rest = header.ended ? chunk : header.update(chunk);
        if (header.ended) body.update(rest);
      }
      const fields = header.isTooLong ? [] : header.fields();
      const key = keyFor(fields, read);
      if (key !== undefined) yield Buffer.from(signatureOf(fields, body.digest(), key, now), 'latin1');
      yield* spool.read();
    } finally {
      await spool.close();
    }
  };
}
