/** The quoted-printable encoding of text (RFC 2045 §6.7). */

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const EQUALS = 0x3d;

/** Characters of a line, without the "=" that may end it. */
const MAXIMUM_LINE = 75;

/** @param octets lines that end in CRLF */
export function quotedPrintable(octets: Uint8Array): string {
  let text = '';
  let length = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] as number;
    if (octet === CR && octets[at + 1] === LF) {
      text += '\r\n';
      length = 0;
      at += 1;
      continue;
    }
    const endsLine = at + 1 === octets.length || octets[at + 1] === CR;
    const isBlank = octet === SPACE || octet === TAB;
    const isPlain = isBlank ? !endsLine : octet > SPACE && octet < 0x7f && octet !== EQUALS;
    const written = isPlain
      ? String.fromCharCode(octet)
      : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
    if (length + written.length > MAXIMUM_LINE) {
      text += '=\r\n';
      length = 0;
    }
    text += written;
    length += written.length;
  }
  return text;
}
