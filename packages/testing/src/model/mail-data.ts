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
  const lines: Uint8Array[] = [];
  for (let begin = 0; ; ) {
    const end = endOfLine(octets, begin);
    if (end === undefined) return { content: undefined, rest: octets };
    const isDot = octets[begin] === DOT;
    if (isDot && end - begin === 3) return { content: joined(lines), rest: octets.slice(end) };
    lines.push(octets.subarray(isDot ? begin + 1 : begin, end));
    begin = end;
  }
}

/** Behind the next CRLF. */
function endOfLine(octets: Uint8Array, begin: number): number | undefined {
  for (let at = octets.indexOf(LF, begin); at >= 0; at = octets.indexOf(LF, at + 1)) {
    if (at > begin && octets[at - 1] === CR) return at + 1;
  }
  return undefined;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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
