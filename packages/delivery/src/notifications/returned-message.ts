/**
 * The part of a message that a delivery status notification returns: as it came, but for what the notification
 * itself must keep to.
 *
 * Whatever the message holds, lines that end in CRLF come out, of 998 octets at most (RFC 5322 §2.1.1), without NUL, and
 * none of them is a delimiter of the parts around. The message streams through: no more than a chunk and a line are held.
 */

const NUL = 0x00;
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const QUESTION_MARK = 0x3f;
const CRLF = Buffer.from('\r\n');

/** Without CRLF. */
const MAXIMUM_LINE_OCTETS = 998;

export interface ReturnedMessageOptions {
  /**
   * End before the empty line after the header section, or before the first line that is none of a header field: there
   * the text begins, though no empty line says so.
   */
  readonly headersOnly: boolean;
  /** Octets that come out at most; the cut is behind a line. */
  readonly maximumOctets: number;
  /** What no line may begin with: two hyphens and the boundary (RFC 2046 §5.1.1). */
  readonly delimiter: string;
}

/** Where to break a full line that this octet would make too long: not within a character of UTF-8. */
function breakOf(line: Uint8Array, next: number): number {
  let end = line.length;
  let following = next;
  // A character has three octets behind its first one at most; more of them are not UTF-8.
  while ((following & 0xc0) === 0x80 && end > line.length - 3) following = line[--end] ?? 0;
  return end;
}

/** A field begins with its name, and goes on after a blank (RFC 5322 §2.2, §4.5). */
function isOfHeader(line: string, first: boolean): boolean {
  return /^[!-9;-~]+[ \t]*:/.test(line) || (!first && /^[ \t]/.test(line));
}

/** Gives the lines of one chunk of the message after the other. */
export async function* returnedMessage(
  message: AsyncIterable<Uint8Array>,
  { headersOnly, maximumOctets, delimiter }: ReturnedMessageOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const line = Buffer.alloc(MAXIMUM_LINE_OCTETS);
  let length = 0;
  let afterCr = false;
  let inHeader = true;
  let firstLine = true;
  /** The line is longer than what is given of it at once, and its beginning has been given. */
  let broken = false;
  let ended = false;
  let left = maximumOctets;
  let lines: Uint8Array[] = [];

  /** Lets go of the first octets of the line. */
  const give = (end: number): void => {
    left -= end + CRLF.length;
    if (left < 0) ended = true;
    if (ended) return;
    const given = Buffer.from(line.subarray(0, end));
    // Long as it may be already, the line must not grow.
    if (given.toString('latin1', 0, delimiter.length) === delimiter) given[0] = SPACE;
    lines.push(given, CRLF);
  };
  /** Ends it all before a line that does not belong to the header section, where nothing else is wanted. */
  const lookAtLine = (): void => {
    if (headersOnly && !broken && !isOfHeader(line.toString('latin1', 0, length), firstLine)) ended = true;
    firstLine = false;
  };
  const endLine = (): void => {
    if (inHeader && length === 0 && !broken) {
      inHeader = false;
      ended ||= headersOnly;
    }
    lookAtLine();
    give(length);
    length = 0;
    broken = false;
  };
  const breakLine = (next: number): void => {
    lookAtLine();
    broken = true;
    const end = breakOf(line, next);
    give(end);
    // What follows is a continuation of the same header field, not a field of its own (RFC 5322 §2.2.3).
    const indent = inHeader ? 1 : 0;
    line.copy(line, indent, end, length);
    if (inHeader) line[0] = SPACE;
    length += indent - end;
  };

  for await (const chunk of message) {
    for (const octet of chunk) {
      if (octet === LF && afterCr) {
        afterCr = false;
        continue;
      }
      afterCr = octet === CR;
      if (octet === CR || octet === LF) {
        endLine();
        if (ended) break;
        continue;
      }
      if (length === MAXIMUM_LINE_OCTETS) breakLine(octet);
      line[length++] = octet === NUL ? QUESTION_MARK : octet;
    }
    if (lines.length > 0) yield Buffer.concat(lines);
    lines = [];
    if (ended) return;
  }
  if (length > 0) {
    lookAtLine();
    give(length);
  }
  if (lines.length > 0) yield Buffer.concat(lines);
}
