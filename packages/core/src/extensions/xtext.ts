/**
 * xtext (RFC 3461 §4): text in printable ASCII without spaces and `=`, as the value of a parameter has to be.
 * Each octet that cannot stand for itself is a `+` and two hexadecimal digits. Text is UTF-8 inside.
 */
import { decodeText, encodeText } from '../wire/octets.js';

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
 * The text that xtext spells, or undefined when it is malformed: a `+` without two digits in upper case behind it,
 * a character that has to be encoded, octets that are not UTF-8.
 */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[\dA-F]{2})*$/.test(xtext)) return undefined;
  const parts = xtext.match(/\+..|[^+]/g) ?? [];
  return decodeText(
    Uint8Array.from(parts, (part) =>
      part.length === 1 ? part.charCodeAt(0) : Number.parseInt(part.slice(1), 16),
    ),
  );
}
