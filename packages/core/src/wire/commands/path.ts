/**
 * Mailboxes and paths (RFC 5321 §4.1.2): from the text of a command to a value, and back.
 *
 * A mailbox holds the meaning, not the spelling: `"joe"@example.com`, `joe@example.com` and `joe@example.com.` give
 * the same value, and source routes are dropped (RFC 5321 §3.6.1). Formatting writes the shortest spelling of RFC 5321,
 * so what was parsed can always be formatted, and parses to the same value again.
 *
 * Reading is liberal where only the receiving host can judge (RFC 5321 §2.3.11): a local-part has any length, and dots
 * anywhere. It is strict about where a path ends, and about what could be taken for something else. So it is in lenient
 * reading, too, which takes blanks inside the angle brackets, and none at all: then the path ends at the first blank.
 *
 * What is not a path gives a `PathFailure`: a value, because a peer's mistake is no exception. Its `problem`
 * never quotes the text, so it can go into a reply or a log as it is.
 */

import { kindOf } from '../../kind-of.js';
import { DOT, encodeText } from '../octets.js';
import {
  addressLiteralEnd,
  afterFinalDot,
  domainEnd,
  isDomain,
  isInternational,
  MAXIMUM_DOMAIN_OCTETS,
} from './domain.js';

/** A mailbox: whom mail is from, or for. */
export interface Mailbox {
  /**
   * The local-part by its value: `a b` for the wire's `"a b"`. Never lower-cased; only the receiving host
   * may interpret it (RFC 5321 §2.4).
   */
  readonly localPart: string;
  /**
   * The domain as it was given, without a final dot, or an address literal with its brackets (`[192.0.2.1]`,
   * `[IPv6:::1]`). Domains have no case, and may be written in Unicode: compare them by `comparableDomain`, and
   * mailboxes by `sameMailbox`, both of `@sansmtp/delivery`. Empty only for the `<Postmaster>` of RFC 5321 §4.1.1.3, which has no domain.
   */
  readonly domain: string;
}

/** Where a failure is reported to: a mailbox, or `null` for the null reverse-path `<>` (RFC 5321 §4.5.5). */
export type ReversePath = Mailbox | null;

/** One recipient of a mail transaction. */
export type ForwardPath = Mailbox;

/**
 * In which way a text is not a path. `nonAscii` is what SMTPUTF8 would allow, or might: the text holds
 * characters outside ASCII, and parsing without them failed (RFC 6531 §3.5: X.6.7).
 */
export type PathFailureKind = 'syntax' | 'domainTooLong' | 'nonAscii';

/** Why a text is not a mailbox or a path. */
export interface PathFailure {
  readonly failure: PathFailureKind;
  /** For a person: which rule was broken. Printable ASCII, nothing in it comes from the text. */
  readonly problem: string;
}

/** A path, and where it ended. */
export interface ParsedPath<Path extends ReversePath> {
  readonly path: Path;
  /** The offset behind the closing angle bracket. */
  readonly end: number;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE = 0x3e;
const AT = 0x40;
const BACKSLASH = 0x5c;

/** The characters of an Atom (RFC 5322 §3.2.3 `atext`), by their codes. */
const ATEXT: readonly boolean[] = Array.from({ length: 0x80 }, (_, code) =>
  /[\w!#$%&'*+/=?^`{|}~-]/.test(String.fromCharCode(code)),
);

const syntax = (problem: string): PathFailure => ({ failure: 'syntax', problem });

const NO_BRACKETS = syntax('An address stands in angle brackets: <local-part@domain>');
const NO_CLOSING_BRACKET = syntax('The domain must be followed by ">"');
const MALFORMED_ROUTE = syntax('The source route is malformed; none is needed');
const MALFORMED_LOCAL_PART = syntax('The local-part is malformed; what an atom cannot hold needs quotes');
const NO_DOMAIN = syntax(
  'The local-part must be followed by "@" and a domain; spaces and the like need quotes',
);
const MALFORMED_DOMAIN = syntax(
  'The domain is malformed: dot-separated labels of letters, digits, underscores and inner hyphens, 63 at most a label',
);
const MALFORMED_LITERAL = syntax(
  'The address literal is malformed; valid ones are [192.0.2.1] and [IPv6:2001:db8::1]',
);
const DOMAIN_TOO_LONG: PathFailure = {
  failure: 'domainTooLong',
  problem: `The domain is longer than ${MAXIMUM_DOMAIN_OCTETS} octets`,
};
const NON_ASCII: PathFailure = {
  failure: 'nonAscii',
  problem: 'The address holds characters outside ASCII',
};

function isPrintableAscii(code: number): boolean {
  return code >= 0x20 && code <= 0x7e;
}

function isNonAscii(code: number): boolean {
  return code >= 0x80;
}

/** Reads a local-part without quotes, with dots anywhere: the offset after it, `from` if there is none. */
function plainEnd(text: string, from: number, utf8: boolean): number {
  for (let i = from; ; i++) {
    const code = text.charCodeAt(i);
    // The end of the text has NaN for its code, which an array takes long to look up.
    if (code < ATEXT.length ? ATEXT[code] : utf8 && isInternational(code)) continue;
    if (code !== DOT) return i;
  }
}

/** Whether the text is a `Dot-string`, which needs no quotes (RFC 5321 §4.1.2): no dot stands at an end or by another. */
function isDotString(text: string, utf8: boolean): boolean {
  if (text === '' || plainEnd(text, 0, utf8) !== text.length) return false;
  return !(text.startsWith('.') || text.endsWith('.') || text.includes('..'));
}

/** Reads `Quoted-string`, which starts at `from` with its quote: the offset behind it, or -1. */
function quotedStringEnd(text: string, from: number, utf8: boolean): number {
  for (let i = from + 1; ; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code === BACKSLASH) {
      // A quoted-pair stays ASCII with SMTPUTF8 too: RFC 6531 §3.3 extends the text around it only.
      if (!isPrintableAscii(text.charCodeAt(++i))) return -1;
    } else if (!isPrintableAscii(code) && !(utf8 && isInternational(code))) return -1;
  }
}

/** ASCII, which nearly all addresses are, is counted without being encoded. */
function countOctets(text: string, from: number, end: number, utf8: boolean): number {
  if (!utf8) return end - from;
  for (let i = from; i < end; i++) {
    if (isNonAscii(text.charCodeAt(i))) return encodeText(text.slice(from, end)).length;
  }
  return end - from;
}

interface ParsedMailbox {
  readonly mailbox: Mailbox;
  readonly end: number;
}

function readMailbox(text: string, from: number, utf8: boolean): ParsedMailbox | PathFailure {
  const quoted = text.charCodeAt(from) === QUOTE;
  const at = quoted ? quotedStringEnd(text, from, utf8) : plainEnd(text, from, utf8);
  if (at < 0 || at === from) return MALFORMED_LOCAL_PART;
  if (text.charCodeAt(at) !== AT) return NO_DOMAIN;

  const literal = text[at + 1] === '[';
  const end = literal ? addressLiteralEnd(text, at + 1) : domainEnd(text, at + 1, utf8);
  if (end < 0) return literal ? MALFORMED_LITERAL : MALFORMED_DOMAIN;
  if (countOctets(text, at + 1, end, utf8) > MAXIMUM_DOMAIN_OCTETS) return DOMAIN_TOO_LONG;

  const localPart = quoted ? unquoted(text.slice(from + 1, at - 1)) : text.slice(from, at);
  const mailbox = { localPart, domain: text.slice(at + 1, end) };
  return { mailbox, end: literal ? end : afterFinalDot(text, end) };
}

/** The content of a quoted string, each backslash before a character taken away (RFC 5321 §4.1.2 `quoted-pairSMTP`). */
function unquoted(content: string): string {
  let plain = '';
  let begin = 0;
  for (let at = content.indexOf('\\'); at >= 0; at = content.indexOf('\\', begin + 1)) {
    plain += content.slice(begin, at);
    begin = at + 1;
  }
  return plain + content.slice(begin);
}

/** Reads a source route with its colon: the offset behind it, or -1 (RFC 5321 §4.1.2 `A-d-l`). */
function sourceRouteEnd(text: string, from: number, utf8: boolean): number {
  let i = from;
  for (;;) {
    if (text.charCodeAt(i) !== AT) return -1;
    i = domainEnd(text, i + 1, utf8);
    if (i < 0) return -1;
    i = afterFinalDot(text, i);
    const code = text.charCodeAt(i++);
    if (code === COLON) return i;
    if (code !== COMMA) return -1;
  }
}

/** What stands inside angle brackets may have blanks around it where reading is lenient. */
function skipBlanks(text: string, from: number, lenient: boolean): number {
  let i = from;
  while (lenient && text.charCodeAt(i) === SPACE) i++;
  return i;
}

function readPath(
  text: string,
  from: number,
  utf8: boolean,
  lenient: boolean,
): ParsedPath<Mailbox> | PathFailure {
  if (text[from] !== '<') return NO_BRACKETS;
  const start = skipBlanks(text, from + 1, lenient);
  const routed = text.charCodeAt(start) === AT;
  const mailboxStart = routed ? sourceRouteEnd(text, start, utf8) : start;
  if (mailboxStart < 0) return MALFORMED_ROUTE;
  const read = readMailbox(text, mailboxStart, utf8);
  if ('failure' in read) return read;
  const close = skipBlanks(text, read.end, lenient);
  if (text.charCodeAt(close) !== CLOSE) {
    // Any other character than these was more likely meant for a part of the domain, as in `my/host`.
    const ended = read.end === text.length || text[read.end] === ' ';
    return ended ? NO_CLOSING_BRACKET : MALFORMED_DOMAIN;
  }
  return { path: read.mailbox, end: close + 1 };
}

/** A reader of paths: `parseReversePath` or `parseForwardPath`. */
type PathParser<Path extends ReversePath> = (
  text: string,
  from: number,
  utf8: boolean,
) => ParsedPath<Path> | PathFailure;

/** Reads a path without angle brackets: as if they stood around all that comes before the first blank. */
function readWithoutBrackets<Path extends ReversePath>(
  parse: PathParser<Path>,
  text: string,
  from: number,
  utf8: boolean,
): ParsedPath<Path> | PathFailure {
  const blank = text.indexOf(' ', from);
  const end = blank < 0 ? text.length : blank;
  if (end === from) return NO_BRACKETS;
  const bracketed = `<${text.slice(from, end)}>`;
  const read = parse(bracketed, 0, utf8);
  if ('failure' in read) return read;
  return read.end === bracketed.length ? { path: read.path, end } : MALFORMED_DOMAIN;
}

/** A syntax failure is told as `nonAscii` when the text up to the next ">" holds what SMTPUTF8 might allow. */
function explain(failure: PathFailure, text: string, from: number, utf8: boolean): PathFailure {
  if (utf8 || failure.failure !== 'syntax') return failure;
  for (let i = from; i < text.length && text.charCodeAt(i) !== CLOSE; i++) {
    if (isNonAscii(text.charCodeAt(i))) return NON_ASCII;
  }
  return failure;
}

/**
 * Reads the reverse-path that starts at `from`: `<>`, `<a@b.example>`, `<@relay.example:a@b.example>`. What
 * follows it is the caller's (RFC 5321 §4.1.2).
 *
 * @param utf8 allow characters outside ASCII (RFC 6531 §3.3)
 * @param lenient take blanks inside the angle brackets, and a path without them, which ends at the first blank
 */
export function parseReversePath(
  text: string,
  from: number,
  utf8: boolean,
  lenient = false,
): ParsedPath<ReversePath> | PathFailure {
  if (text[from] === '<') {
    const close = skipBlanks(text, from + 1, lenient);
    if (text.charCodeAt(close) === CLOSE) return { path: null, end: close + 1 };
  } else if (lenient) {
    return readWithoutBrackets(parseReversePath, text, from, utf8);
  }
  const read = readPath(text, from, utf8, lenient);
  return 'failure' in read ? explain(read, text, from, utf8) : read;
}

const POSTMASTER = /^<(postmaster)>/i;
const POSTMASTER_AMONG_BLANKS = /^< *(postmaster) *>/i;

/**
 * Reads the forward-path that starts at `from`: as a reverse-path, but `<Postmaster>` in any case instead of
 * `<>` (RFC 5321 §4.1.1.3). What follows it is the caller's.
 *
 * @param utf8 allow characters outside ASCII (RFC 6531 §3.3)
 * @param lenient as for a reverse-path
 */
export function parseForwardPath(
  text: string,
  from: number,
  utf8: boolean,
  lenient = false,
): ParsedPath<ForwardPath> | PathFailure {
  if (lenient && text[from] !== '<') return readWithoutBrackets(parseForwardPath, text, from, utf8);
  const read = readPath(text, from, utf8, lenient);
  if (!('failure' in read)) return read;
  const postmaster = (lenient ? POSTMASTER_AMONG_BLANKS : POSTMASTER).exec(text.slice(from));
  if (postmaster === null) return explain(read, text, from, utf8);
  const [bracketed, localPart = ''] = postmaster;
  return { path: { localPart, domain: '' }, end: from + bracketed.length };
}

/**
 * The mailbox that a text such as `joe@example.com` or `"joe b"@[192.0.2.1]` names: without angle brackets,
 * and nothing around it.
 *
 * @param utf8 allow characters outside ASCII (RFC 6531 §3.3); only a server that offers SMTPUTF8 takes them
 * @throws {TypeError} it is no text
 */
export function parseMailbox(text: string, utf8 = false): Mailbox | PathFailure {
  if (typeof text !== 'string') {
    throw new TypeError(
      `The mailbox is ${shown(text)}; parseMailbox() takes a text, such as 'ann@example.org'`,
    );
  }
  const read = readMailbox(text, 0, utf8);
  if ('failure' in read) return explain(read, text, 0, utf8);
  if (read.end !== text.length) return explain(MALFORMED_DOMAIN, text, 0, utf8);
  return read.mailbox;
}

/**
 * Whether the mailbox is a dot-string at a domain, in ASCII, as nearly all are: then it is written as it stands. Told
 * from the parts, since mailers write two mailboxes or more for each message.
 */
function isOrdinary({ localPart, domain }: Mailbox): boolean {
  return isDotString(localPart, false) && isDomain(domain);
}

/**
 * The mailbox as text, its local-part quoted when it must be: the inverse of `parseMailbox`. The domain-less
 * postmaster is written as its local-part alone, the null reverse-path as `<>`, a domain without its final dot.
 *
 * @throws RangeError when no text means this mailbox, as with control characters, a malformed domain, or one of more
 *   than 255 octets (RFC 5321 §4.5.3.1.2)
 * @throws {TypeError} it is no mailbox
 */
export function formatMailbox(mailbox: ReversePath): string {
  if (mailbox === null) return '<>';
  checkMailbox(mailbox);
  const { localPart, domain } = mailbox;
  if (domain === '' && localPart.toLowerCase() === 'postmaster') return localPart;
  if (isOrdinary(mailbox)) return `${localPart}@${domain}`;
  const local = isDotString(localPart, true) ? localPart : quoted(localPart);
  const parsed = parseMailbox(`${local}@${domain}`, true);
  if ('failure' in parsed) {
    throw new RangeError(`${JSON.stringify(`${local}@${domain}`)} is no mailbox. ${parsed.problem}`);
  }
  return `${local}@${parsed.domain}`;
}

/** By RFC 5321 §4.1.2 `Quoted-string`. */
function quoted(localPart: string): string {
  return `"${localPart.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** What a program that is not compiled gives may be a text, or nothing. */
function checkMailbox(mailbox: Mailbox): void {
  if (typeof mailbox?.localPart === 'string' && typeof mailbox.domain === 'string') return;
  throw new TypeError(
    `The mailbox is ${shown(mailbox)}; it takes { localPart, domain }, which parseMailbox() reads from a text, or null`,
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : kindOf(value);
}

/**
 * The path as it stands in a command: the mailbox in angle brackets, `<>` for the null reverse-path.
 *
 * @throws RangeError as `formatMailbox` does
 */
export function formatPath(path: ReversePath): string {
  return path === null ? '<>' : `<${formatMailbox(path)}>`;
}
