/**
 * Replies (RFC 5321 §4.2): a value to the lines that a server sends, and back from the lines that a client
 * receives.
 *
 * An enhanced status code stands at the start of each line of text (RFC 2034 §4); in a `Reply` it stands
 * apart, and the lines are for people. Text is made harmless on both ways: no control character but the tab
 * passes, so that a line of text can be shown and logged.
 */
import { RemoteProtocolError } from '../../errors.js';
import { decodeText, encodeText } from '../octets.js';

/** A reply of a server (RFC 5321 §4.2). */
export interface Reply {
  /** Three digits, 200 to 599. */
  readonly code: number;
  /** The enhanced status code of RFC 3463, `class.subject.detail`, such as `5.7.1`. */
  readonly enhancedCode?: string;
  /** The text, a line each; one line at least. Without code, enhanced status code and line end. */
  readonly lines: readonly string[];
}

/** What a reply's first digit means (RFC 5321 §4.2.1), which is all that a client has to know of its code. */
export type Severity = 'success' | 'intermediate' | 'transient' | 'permanent';

/** The longest reply line with code and CRLF, in octets (RFC 5321 §4.5.3.1.5). */
const MAXIMUM_REPLY_LINE_OCTETS = 512;

const ZERO = 0x30;
const CODE_OCTETS = '250 '.length;
const CRLF_OCTETS = '\r\n'.length;

/** RFC 3463 §2, which forbids leading zeros. */
const ENHANCED_CODE = /^[245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2})$/;

/** The meaning of a reply code by its first digit, also of a code that nobody defined. */
export function severity(code: number): Severity {
  if (code < 300) return 'success';
  if (code < 400) return 'intermediate';
  return code < 500 ? 'transient' : 'permanent';
}

/** Whether the text is an enhanced status code that may stand beside this code (RFC 2034 §4). */
function agrees(enhancedCode: string, code: number): boolean {
  return enhancedCode.charCodeAt(0) - ZERO === Math.floor(code / 100) && ENHANCED_CODE.test(enhancedCode);
}

/** Breaks a line behind the last space that lets it fit. Nothing is dropped: the parts make up the line. */
function fold(line: string, maximumLength: number): string[] {
  const parts: string[] = [];
  let rest = line;
  while (rest.length > maximumLength) {
    const space = rest.lastIndexOf(' ', maximumLength - 1);
    let length = space < 0 ? maximumLength : space + 1;
    if (/[\ud800-\udbff]/.test(rest[length - 1] ?? '')) length -= 1; // not amid a character
    parts.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  parts.push(rest);
  return parts;
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

/** The lines that a text takes on the wire. */
function wireLines(text: string, maximumLength: number, utf8: boolean): string[] {
  // Nearly all are one line as they are; replies are written for each command.
  if (text.length <= maximumLength && /^[\t -~]*$/.test(text)) return [text];
  if (!utf8) return linesOf(text).flatMap((line) => fold(line.replace(/[^\t -~]/gu, '?'), maximumLength));
  // A code unit takes three octets at most.
  const safeLength = Math.floor(maximumLength / 3);
  return linesOf(text).flatMap((line) => fold(line.replace(/[^\P{Cc}\t]/gu, '?'), safeLength));
}

/**
 * The reply as it goes to the client, with its CRLFs.
 *
 * Whatever the text holds, only well-formed lines of this one reply come out: a CR, LF or CRLF in it starts a
 * new line, any other character outside tab and printable ASCII becomes `?` (RFC 5321 §4.2 `textstring`), and a line
 * of over 512 octets is folded into several.
 *
 * @param options.utf8 let UTF-8 stand: only where the client has asked for it by SMTPUTF8 (RFC 6531 §3.7.4)
 * @throws RangeError when the code is not 200 to 599, when there is no line, or when the enhanced status code
 *   is malformed or of another class than the code (RFC 2034 §4); a 3yz code has no class, and takes none
 * @throws TypeError when the lines are no array of strings
 */
export function formatReply(reply: Reply, { utf8 = false }: { readonly utf8?: boolean } = {}): Uint8Array {
  const { code, enhancedCode, lines } = reply;
  if (!Number.isInteger(code) || code < 200 || code > 599) {
    throw new RangeError(`Reply code ${code} is not one of 200 to 599`);
  }
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string')) {
    throw new TypeError('The lines of a reply are an array of strings');
  }
  if (lines.length === 0) throw new RangeError('A reply has one line at least; it may be empty');
  if (enhancedCode !== undefined && !agrees(enhancedCode, code)) {
    throw new RangeError(
      `Enhanced status code ${JSON.stringify(enhancedCode)} does not go with reply code ${code}: ` +
        'it is class.subject.detail, and its class is the first digit of a 2yz, 4yz or 5yz code',
    );
  }

  const prefix = enhancedCode === undefined ? '' : `${enhancedCode} `;
  const maximumLength = MAXIMUM_REPLY_LINE_OCTETS - CODE_OCTETS - prefix.length - CRLF_OCTETS;
  let text = '';
  let pending = '';
  for (const line of lines) {
    for (const part of wireLines(line, maximumLength, utf8)) {
      if (pending !== '') text += `${code}-${pending}`;
      pending = `${prefix}${part}\r\n`;
    }
  }
  return encodeText(`${text}${code} ${pending}`);
}

/**
 * The reply in one line, for people: code, enhanced status code, text. It is harmless where the reply was parsed.
 * @throws {TypeError} it is no reply
 */
export function replyText(reply: Reply): string {
  if (!isReply(reply)) {
    throw new TypeError(
      'replyText() takes a reply: { code, enhancedCode, lines }, where lines is a list of texts',
    );
  }
  const { code, enhancedCode, lines } = reply;
  let text = enhancedCode ? `${code} ${enhancedCode}` : `${code}`;
  for (const line of lines) if (line !== '') text += ` ${line}`;
  return text;
}

/**
 * The reply with an enhanced status code, which each of 2yz, 4yz and 5yz has (RFC 2034 §4). One that stands at the
 * beginning of the text is taken for it; where there is none, `X.0.0` says the class alone (RFC 3463 §3.1).
 */
export function withEnhancedCode(reply: Reply): Reply {
  if (reply.enhancedCode !== undefined || severity(reply.code) === 'intermediate') return reply;
  const found = makeReply(reply.code, reply.lines);
  return found.enhancedCode === undefined
    ? { ...found, enhancedCode: `${Math.floor(reply.code / 100)}.0.0` }
    : found;
}

/**
 * Whether a value has the shape of a reply; whether it can be written, `formatReply` says. Not every caller is compiled:
 * `lines: 'text'` would be spelled out, a letter a line.
 */
export function isReply(value: unknown): value is Reply {
  if (typeof value !== 'object' || value === null) return false;
  const { code, enhancedCode, lines } = value as Partial<Record<keyof Reply, unknown>>;
  return (
    typeof code === 'number' &&
    (enhancedCode === undefined || typeof enhancedCode === 'string') &&
    Array.isArray(lines) &&
    lines.every((line) => typeof line === 'string')
  );
}

/** The text of a received line, which may be UTF-8 (RFC 6531 §3.7.4), or anything at all. */
function decodeLine(line: Uint8Array): string {
  const text = decodeText(line) ?? decodeText(line.map((octet) => (octet < 0x80 ? octet : 0x3f))) ?? '';
  // The test is for speed alone: nearly all lines are printable ASCII.
  return /^[\t -~]*$/.test(text) ? text : text.replace(/[^\P{Cc}\t]/gu, '?');
}

/** A line of a reply: its code, and what stands behind that. */
interface ReplyLine {
  readonly code: number;
  readonly text: string;
  /** As it was received; what it says may be a secret. */
  readonly octets: Uint8Array;
}

/** @param decisive the line that may begin with the enhanced status code */
function makeReply(code: number, lines: readonly string[], decisive = lines[0] ?? ''): Reply {
  const space = decisive.indexOf(' ');
  const enhancedCode = space < 0 ? decisive : decisive.slice(0, space);
  if (!agrees(enhancedCode, code)) return { code, lines };
  const prefix = `${enhancedCode} `;
  return {
    code,
    enhancedCode,
    lines: lines.map((line) => {
      if (line === enhancedCode) return '';
      return line.startsWith(prefix) ? line.slice(prefix.length) : line;
    }),
  };
}

/** What came, for an error: cut, since a server may say very much. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAXIMUM_QUOTED_LENGTH));
}

const MAXIMUM_QUOTED_LENGTH = 200;

/** Whether no error may quote this line of a server. */
export type IsSecret = (line: Uint8Array) => boolean;

function quotedLines(lines: readonly Pick<ReplyLine, 'octets'>[], isSecret: IsSecret): string {
  if (lines.some(({ octets }) => isSecret(octets))) return WITHHELD;
  // One after the other, no hyphen need say that another follows.
  const shown = lines.slice(0, MAXIMUM_QUOTED_LENGTH).map(({ octets }) => decodeLine(beginningOf(octets)));
  return quoted(shown.map((line) => line.replace(/^(\d{3})-/, '$1 ')).join(' '));
}

/** Enough of a line to be quoted, in whole characters: a line that is too long may be very long. */
function beginningOf(octets: Uint8Array): Uint8Array {
  let end = 4 * MAXIMUM_QUOTED_LENGTH;
  while (((octets[end] ?? 0) & 0xc0) === 0x80 && end > MAXIMUM_QUOTED_LENGTH) end -= 1;
  return octets.subarray(0, end);
}

/**
 * Puts the lines of a server together to replies.
 *
 * Codes are read by their first digit, so the second may be any, although RFC 5321 §4.2 defines 0 to 5 only.
 * A line may end behind its code (§4.2: `Reply-code [ SP textstring ]`). The enhanced status code is taken out
 * of the text when the first line starts with one of the code's class.
 *
 * The lines of a reply should have one code (§4.2.1). Where they have several of one class, the last line decides, and
 * its enhanced status code is taken out. Where they have several classes, nobody knows what was meant; nor with 421
 * among others.
 */
export class ReplyParser {
  readonly #maximumLines: number;
  #lines: ReplyLine[] = [];

  /**
   * @param options.maximumLines how many lines one reply may have, so that a server cannot fill the memory
   *   with a reply that never ends
   */
  constructor(options: { readonly maximumLines: number }) {
    this.#maximumLines = options.maximumLines;
  }

  /**
   * Takes one line. Gives the reply that it completes, `undefined` when more lines of it must follow, or the
   * error, which quotes what came: it is not known then where the next reply starts, so end the connection and push
   * nothing more.
   *
   * @param octets without the line end, of any length
   * @param isSecret asked of each line that an error would quote: whether none may. @default none is
   */
  push(octets: Uint8Array, isSecret: IsSecret = () => false): Reply | RemoteProtocolError | undefined {
    const text = decodeLine(octets);
    if (!/^[2-5]\d\d(?:[ -]|$)/.test(text)) {
      const problem = 'A reply line starts with a code of 200 to 599 and then a space, a hyphen or its end';
      return new RemoteProtocolError(
        isSecret(octets) ? `${problem} (${WITHHELD})` : `${problem}, not like ${quoted(text)}`,
      );
    }
    if (this.#lines.length === this.#maximumLines) {
      const said = quotedLines(this.#lines, isSecret);
      return new RemoteProtocolError(`A reply has more than ${this.#maximumLines} lines: ${said}`);
    }
    const line = { code: Number(text.slice(0, 3)), text: text.slice(CODE_OCTETS), octets };
    const isLast = text[3] !== '-';
    // Nearly all replies are one line.
    if (isLast && this.#lines.length === 0) return makeReply(line.code, [line.text]);
    this.#lines.push(line);
    if (!isLast) return undefined;

    const lines = this.#lines;
    this.#lines = [];
    const texts = lines.map((each) => each.text);
    if (lines.every(({ code }) => code === line.code)) return makeReply(line.code, texts);
    const codes = [...new Set(lines.map(({ code }) => code))];
    const oneClass = codes.every((code) => severity(code) === severity(line.code));
    if (oneClass && !codes.includes(421)) return makeReply(line.code, texts, line.text);
    const problem = `The lines of one reply have different codes, ${codes.slice(0, 8).join(' and ')}`;
    return new RemoteProtocolError(`${problem}: ${quotedLines(lines, isSecret)}`);
  }

  /**
   * What has come of a reply that is not whole, for an error; undefined if that is nothing.
   * @param beginning of the next line
   * @param isSecret asked of each line, the beginning of one included, as `push` asks
   */
  unfinished(beginning: Uint8Array, isSecret: IsSecret): string | undefined {
    const lines = [...this.#lines, ...(beginning.length > 0 ? [{ octets: beginning }] : [])];
    return lines.length === 0 ? undefined : quotedLines(lines, isSecret);
  }
}

const WITHHELD = 'its text belongs to the SASL exchange, or quotes the credentials, or may';
