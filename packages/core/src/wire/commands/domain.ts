/**
 * Domains and address literals: what stands behind the "@" of a mailbox (RFC 5321 §4.1.2, §4.1.3).
 *
 * The readers take a text and an offset and give the offset behind what they read, or -1. They look at each
 * character a bounded number of times, so no input makes them slow.
 */
import { DOT } from '../octets.js';

/** The longest domain or address literal, in octets (RFC 5321 §4.5.3.1.2). */
export const MAXIMUM_DOMAIN_OCTETS = 255;

/** The longest label of a domain (RFC 1035 §2.3.4). */
export const MAXIMUM_LABEL_OCTETS = 63;

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

function isLetterOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39);
}

/**
 * Whether SMTPUTF8 lets a character stand that is outside ASCII (RFC 6531 §3.3), by its UTF-16 code unit. The control
 * characters U+0080 to U+009F are none of text (RFC 5198 §2): a terminal would obey them.
 */
export function isInternational(code: number): boolean {
  return code >= 0xa0;
}

/**
 * Reads the domain that starts at `from`: labels of letters, digits, inner hyphens and underscores. One label is enough,
 * as in `localhost`. A final dot is not part of it: `afterFinalDot` reads that.
 *
 * RFC 5321 §4.1.2 has no underscore. DNS stores one, and hosts with one in their name send and receive mail.
 *
 * @param utf8 take characters outside ASCII for letters (RFC 6531 §3.3). Whether they make valid U-labels is
 *   not looked at, and a label's limit then counts UTF-16 code units: more exact limits hold for the A-label
 *   that only IDNA can compute
 */
export function domainEnd(text: string, from: number, utf8: boolean): number {
  let labelStart = from;
  for (let i = from; ; i++) {
    const code = text.charCodeAt(i);
    if (isLetterOrDigit(code) || code === HYPHEN || code === UNDERSCORE || (utf8 && isInternational(code))) {
      continue;
    }
    const length = i - labelStart;
    if (length === 0) return labelStart > from ? labelStart - 1 : -1;
    if (length > MAXIMUM_LABEL_OCTETS) return -1;
    if (text.charCodeAt(labelStart) === HYPHEN || text.charCodeAt(i - 1) === HYPHEN) return -1;
    if (code !== DOT) return i;
    labelStart = i + 1;
  }
}

/**
 * The offset after the dot that ends a fully qualified domain in DNS (RFC 1034 §3.1), where one stands at `end`. It says
 * nothing to SMTP, and would hide from a comparison that two domains are the same.
 */
export function afterFinalDot(text: string, end: number): number {
  return text.charCodeAt(end) === DOT ? end + 1 : end;
}

function isIpv4(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && text.split('.').every((octet) => Number(octet) <= 255);
}

/** How many groups of 16 bits the text writes; an IPv4 address at its end, where allowed, writes two. */
function countIpv6Groups(text: string, ipv4Allowed: boolean): number {
  if (text === '') return 0;
  const groups = text.split(':');
  const endsInIpv4 = ipv4Allowed && isIpv4(groups.at(-1) ?? '');
  if (endsInIpv4) groups.pop();
  if (!groups.every((group) => /^[\dA-Fa-f]{1,4}$/.test(group))) return Number.NaN;
  return groups.length + (endsInIpv4 ? 2 : 0);
}

function isIpv6(text: string): boolean {
  const [before = '', after, ...rest] = text.split('::');
  if (after === undefined) return countIpv6Groups(before, true) === 8;
  if (rest.length > 0) return false;
  // "::" stands for two groups at least (RFC 5321 §4.1.3), where RFC 4291 would let it stand for one.
  return countIpv6Groups(before, false) + countIpv6Groups(after, true) <= 6;
}

function isTaggedAddress(text: string): boolean {
  const colon = text.indexOf(':');
  const tag = text.slice(0, Math.max(colon, 0));
  const content = text.slice(colon + 1);
  // Else a malformed IPv6 address would pass as a general literal, whose content can be anything.
  if (tag.toLowerCase() === 'ipv6') return isIpv6(content);
  return /^[\dA-Za-z-]+$/.test(tag) && !tag.endsWith('-') && /^[!-Z^-~]+$/.test(content);
}

/**
 * Reads the address literal that starts at `from`, with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]` or
 * the general form `[tag:content]`. Whether the tag is registered is not looked at (RFC 5321 §4.1.3).
 */
export function addressLiteralEnd(text: string, from: number): number {
  const close = text.indexOf(']', from);
  if (text[from] !== '[' || close < 0) return -1;
  const content = text.slice(from + 1, close);
  return isIpv4(content) || isTaggedAddress(content) ? close + 1 : -1;
}

/** Whether the text is a domain in ASCII as `domainEnd` reads it, without a final dot, of 255 octets at most. */
export function isDomain(text: string): boolean {
  return text.length <= MAXIMUM_DOMAIN_OCTETS && domainEnd(text, 0, false) === text.length;
}

/** Whether the text is an address literal of RFC 5321 §4.1.3 with its brackets, of 255 octets at most. */
export function isAddressLiteral(text: string): boolean {
  return text.length <= MAXIMUM_DOMAIN_OCTETS && addressLiteralEnd(text, 0) === text.length;
}

/** Whether the text names a host to SMTP: a domain, or an address literal (RFC 5321 §2.3.5, §4.1.3). */
export function isHostName(text: string): boolean {
  return isDomain(text) || isAddressLiteral(text);
}
