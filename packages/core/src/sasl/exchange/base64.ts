/**
 * Base64 (RFC 4648 §4), as SMTP carries the challenges and responses of SASL (RFC 4954 §4) and SCRAM its
 * binary attributes.
 *
 * Decoding is strict: every sequence of octets has one spelling, and no other decodes. A lenient decoder
 * would let two ends, or a filter between them, read one message in two ways (RFC 4648 §3.5, §12).
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

const PADDING = '=';

/** The value of each digit by its character code; 255 for what is none. */
const VALUES = new Uint8Array(128).fill(255);
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** The octets in base64, padded, on one line. */
export function encodeBase64(octets: Uint8Array): string {
  let text = '';
  for (let i = 0; i < octets.length; i += 3) {
    const second = octets[i + 1];
    const third = octets[i + 2];
    const bits = ((octets[i] as number) << 16) | ((second ?? 0) << 8) | (third ?? 0);
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += second === undefined ? PADDING : ALPHABET.charAt((bits >> 6) & 63);
    text += third === undefined ? PADDING : ALPHABET.charAt(bits & 63);
  }
  return text;
}

/**
 * The octets that the text spells, or undefined where `encodeBase64` would not have written it so: other
 * characters, white space among them, padding that is missing, misplaced or too much, and bits behind the
 * last octet that are not zero.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  let digits = text.length;
  if (text.endsWith('==')) digits -= 2;
  else if (text.endsWith(PADDING)) digits -= 1;

  const octets = new Uint8Array((digits * 3) >> 2);
  let length = 0;
  let bits = 0;
  let pending = 0;
  for (let i = 0; i < digits; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? 255;
    if (value === 255) return undefined;
    bits = ((bits << 6) | value) & 0xfff;
    pending += 6;
    if (pending >= 8) {
      pending -= 8;
      octets[length++] = bits >> pending;
    }
  }
  return (bits & ((1 << pending) - 1)) === 0 ? octets : undefined;
}
