/**
 * SASLprep (RFC 4013): user names and passwords that look the same become the same octets, whatever keyboard
 * they were typed on.
 *
 * It goes by the engine's Unicode, where stringprep (RFC 3454) froze at Unicode 3.2: the tables of characters
 * that are mapped or prohibited are stringprep's own, but what is a letter, what NFKC makes of it and whether
 * it is assigned is what is known today. A password with a character younger than 2002 can so be used at all;
 * on the older characters both agree. ECMAScript does not know the direction of characters: here the letters
 * of right-to-left scripts count as such by the blocks that they stand in, and all other letters as
 * left-to-right.
 */

import { kindOf } from '../../kind-of.js';

/** RFC 3454 §C.1.2. */
const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;

/** RFC 3454 §B.1. */
const MAPPED_TO_NOTHING =
  /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g;

/**
 * RFC 4013 §2.3. Spaces beyond ASCII (RFC 3454 §C.1.2) are mapped before, and NFKC leaves no U+0340 and
 * U+0341.
 */
const PROHIBITED: readonly RegExp[] = [
  // Control, private use, surrogates without their partner, and what is no character: RFC 3454 §C.2 to §C.5.
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}]/u,
  // More of §C.2.2, and §C.6: inappropriate for plain text.
  /[\u06dd\u070f\u180e\u2028\u2029\u2061-\u2063\ufff9-\ufffd\u{1d173}-\u{1d17a}]/u,
  // §C.7 to §C.9: ideographic description, change of direction or display, tags.
  /[\u2ff0-\u2ffb\u200e\u200f\u202a-\u202e\u206a-\u206f\u{e0001}\u{e0020}-\u{e007f}]/u,
];

const UNASSIGNED = /\p{Cn}/u;

/** Where the characters of RFC 3454 §D.1 stand, and those of right-to-left scripts that came later. */
const RIGHT_TO_LEFT_BLOCK =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Which of these it are: not marks, digits, or the signs of numbers. */
const RIGHT_TO_LEFT_KIND = /(?![\u060c\u066a-\u066c])[\p{L}\p{Po}\p{Pd}\u06fd\u06fe]/u;

const LETTER = /[\p{L}\p{Mc}\p{Nl}]/u;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

function isRightToLeft(character: string): boolean {
  return RIGHT_TO_LEFT_BLOCK.test(character) && RIGHT_TO_LEFT_KIND.test(character);
}

/** RFC 3454 §6: text in two directions could look like other text. */
function isOfOneDirection(text: string): boolean {
  let first: boolean | undefined;
  let last = false;
  let some = false;
  let otherLetters = false;
  for (const character of text) {
    last = isRightToLeft(character);
    first ??= last;
    some ||= last;
    otherLetters ||= !last && LETTER.test(character);
  }
  return !some || (first === true && last && !otherLetters);
}

/**
 * Prepares a user name or a password.
 *
 * @param use `stored` for what is kept and compared with, in which unassigned characters are prohibited, such
 *   as a password (RFC 5802 §2.2); `query` for what is looked up, such as a user name (RFC 3454 §7)
 * @returns undefined where a character or its direction is prohibited; possibly empty
 * @throws {TypeError} it is no text
 */
export function saslPrepare(text: string, use: 'query' | 'stored'): string | undefined {
  if (typeof text !== 'string') {
    throw new TypeError(`saslPrepare() takes a text, and was given ${kindOf(text)}`);
  }
  if (PRINTABLE_ASCII.test(text)) return text;
  const prepared = text.replace(NON_ASCII_SPACE, ' ').replace(MAPPED_TO_NOTHING, '').normalize('NFKC');
  if (PROHIBITED.some((characters) => characters.test(prepared)) || !isOfOneDirection(prepared))
    return undefined;
  return use === 'stored' && UNASSIGNED.test(prepared) ? undefined : prepared;
}
