/**
 * SCRAM (RFC 5802; with SHA-256 RFC 7677): each end proves that it knows the password, or keys made from it,
 * and neither shows it. The -PLUS variants bind the proof to the TLS channel, by tls-exporter (RFC 9266) or
 * tls-server-end-point (RFC 5929 §4), so that whoever stands between the ends can pass nothing on.
 *
 * Invariants: the server lets in only whom the proof fits, and then asks whether they may; the client
 * believes no success before the server's signature fits. What was sent is what is signed, octet by octet.
 * Attributes stand in the RFC's order, an extension that must be understood (`m=`) ends the exchange, and any
 * other is passed over (RFC 5802 §5.1).
 *
 * A name that nobody has is answered as one whose password, not keys, is kept: with a salt drawn anew, the
 * channel's iterations and the same computations, up to a proof that cannot fit. A salt that stays the same
 * for one name would take a key that the exchange does not have. Where keys are kept, whoever retrieves them
 * has to make up such credentials to hide which names exist.
 */
import type { Secret } from '../../secret.js';
import type { ChannelBindingType, TlsInformation } from '../../tls.js';
import { decodeText, encodeText, NUL } from '../../wire/octets.js';
import type { MechanismName } from '../exchange/exchange.js';
import { compute } from '../exchange/steps.js';
import type { Computing, ScramHash } from './scram-keys.js';

type ScramName = Extract<MechanismName, `SCRAM-${string}`>;

/** One of the four mechanisms. */
export interface Variant {
  readonly name: ScramName;
  readonly hash: ScramHash;
  readonly plus: boolean;
}

/** The strongest first. */
export const VARIANTS: readonly Variant[] = [
  { name: 'SCRAM-SHA-256-PLUS', hash: 'SHA-256', plus: true },
  { name: 'SCRAM-SHA-1-PLUS', hash: 'SHA-1', plus: true },
  { name: 'SCRAM-SHA-256', hash: 'SHA-256', plus: false },
  { name: 'SCRAM-SHA-1', hash: 'SHA-1', plus: false },
];

/** The client sends its nonce twice, and the server once more. */
const MAXIMUM_MESSAGE_OCTETS = 4096;

/** A multiple of three, so that base64 needs no padding. */
export const NONCE_OCTETS = 18;

/** The printable characters of RFC 5802 §7: ASCII without space, comma, and control characters. */
export const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;

/** An attribute and its value (`attr-val`), between commas. */
const ATTRIBUTE = /^([A-Za-z])=(.+)$/s;

interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** The message's attributes in order; undefined where it is no list of attributes. */
export function parseAttributes(message: string): readonly Attribute[] | undefined {
  const attributes: Attribute[] = [];
  for (const part of message.split(',')) {
    const [, name, value] = ATTRIBUTE.exec(part) ?? [];
    if (name === undefined || value === undefined) return undefined;
    attributes.push({ name, value });
  }
  return attributes;
}

/**
 * The values of the attributes with which the message begins, in this order; undefined where it does not.
 * What follows are extensions, which may be passed over.
 */
export function leading(attributes: readonly Attribute[], names: string): readonly string[] | undefined {
  const first = attributes.slice(0, names.length);
  return first.map(({ name }) => name).join('') === names ? first.map(({ value }) => value) : undefined;
}

/** An extension that this end would have to understand (`reserved-mext`). */
export function isMandatoryExtension({ name }: Attribute): boolean {
  return name === 'm';
}

export function messageText(octets: Uint8Array): string | undefined {
  return octets.length > MAXIMUM_MESSAGE_OCTETS || octets.includes(NUL) ? undefined : decodeText(octets);
}

export function exclusiveOr(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((octet, index) => octet ^ (other[index] ?? 0));
}

export function* sign(hash: ScramHash, key: Secret, message: string): Computing<Uint8Array> {
  return yield* compute({ kind: 'hmac', hash, key, data: encodeText(message) });
}

/** What a client binds its authentication to; undefined where it cannot be bound. */
export function preferredBinding(
  tls: TlsInformation | undefined,
): { readonly type: ChannelBindingType; readonly octets: Uint8Array } | undefined {
  // The exporter's octets are this connection's alone, a certificate is that of all to the same server.
  for (const type of ['tls-exporter', 'tls-server-end-point'] as const) {
    const octets = tls?.channelBindings[type];
    if (octets !== undefined) return { type, octets };
  }
  return undefined;
}

export function isPlus(name: string): boolean {
  return name.startsWith('SCRAM-') && name.endsWith('-PLUS');
}
