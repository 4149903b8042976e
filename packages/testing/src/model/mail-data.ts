/** Mail data, read in the plainest way: what of it is the message (RFC 5321 §4.1.1.4, §4.5.2). */

const DOT = 0x2e;
const CR = 0x0d;
const LF = 0x0a;

export interface ReadMailData {
  /** The message, transparency undone; undefined if the final dot is not there. */
  readonly content: Uint8Array | undefined;
  /** What follows the final dot. */
  readonly rest: Uint8Array;
}

/** A line ends in CRLF and nothing else; a dot alone on its line ends the message. */
export function readMailData(octets: Uint8Array): ReadMailData {
  const content: number[] = [];
  let line: number[] = [];
  for (const [index, octet] of octets.entries()) {
    line.push(octet);
    if (octet !== LF || line.at(-2) !== CR) continue;
    const isDot = line[0] === DOT;
    if (isDot && line.length === 3) {
      return { content: Uint8Array.from(content), rest: octets.slice(index + 1) };
    }
    content.push(...(isDot ? line.slice(1) : line));
    line = [];
  }
  return { content: undefined, rest: octets };
}

/** A bare CR, a bare LF or a NUL (RFC 5321 §2.3.8, §4.5.2). */
export function isMalformed(content: Uint8Array): boolean {
  return content.some(
    (octet, index) =>
      octet === 0 ||
      (octet === CR && content[index + 1] !== LF) ||
      (octet === LF && content[index - 1] !== CR),
  );
}

export const isEightBit = (content: Uint8Array): boolean => content.some((octet) => octet >= 0x80);

/** RFC 5321 §4.5.3.1.6: 1000 octets with the CRLF, the dot of transparency left aside. */
export function hasLongLine(content: Uint8Array): boolean {
  let length = 0;
  for (const octet of content) {
    length += 1;
    if (length > 1000) return true;
    if (octet === LF) length = 0;
  }
  return false;
}
