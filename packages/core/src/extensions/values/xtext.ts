/**
 * xtext (RFC 3461 §4): text in printable ASCII without spaces and `=`, as the value of a parameter has to be.
 * Each octet that cannot stand for itself is a `+` and two hexadecimal digits. Text is UTF-8 inside.
 */
import { decodeText, encodeText } from '../../wire/octets.js';

const PLUS = 0x2b;

/** The text as xtext: the inverse of `decodeXtext`. */
export function encodeXtext(text: string): string {
  if (/^[!-*,-<>-~]*$/.test(text)) return text;
  let xtext = '';
  for (const octet of encodeText(text)) {
    const character = String.fromCharCode(octet);
    xtext += /[!-*,-<>-~]/.test(character)
      ? character
      : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return xtext;
}

/**
 * The text that xtext spells, or undefined when it cannot be decoded: a `+` without two hexadecimal digits after it, a
 * character outside printable ASCII, or what spells a control character of ASCII.
 *
 * More than RFC 3461 §4 has is read, as stock software writes it: digits in either case, `=` for itself, octets that are
 * no UTF-8, which are taken for Latin-1.
 */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-~]|\+[\dA-Fa-f]{2})*$/.test(xtext)) return undefined;
  const spelled = new Uint8Array(xtext.length);
  let length = 0;
  for (let i = 0; i < xtext.length; i++) {
    const isEncoded = xtext.charCodeAt(i) === PLUS;
    spelled[length++] = isEncoded ? Number.parseInt(xtext.slice(i + 1, i + 3), 16) : xtext.charCodeAt(i);
    if (isEncoded) i += 2;
  }
  const octets = spelled.subarray(0, length);
  if (octets.some((octet) => octet < 0x20 || octet === 0x7f)) return undefined;
  return decodeText(octets) ?? Array.from(octets, (octet) => String.fromCharCode(octet)).join('');
}
