/**
 * Octets: the names of those that matter on the wire; text to octets and back, in UTF-8; searching and copying
 * at the speed of mail data.
 *
 * Commands and replies pass through here one by one, nearly all of them ASCII, so ASCII has a path of its own.
 * Written out because the platform's encoder belongs to its hosts, not to ECMAScript. Unlike `TextDecoder` as
 * hosts set it up, nothing is repaired and no byte order mark is dropped: what does not decode is not text.
 */

export const NUL = 0x00;
export const LF = 0x0a;
export const CR = 0x0d;
export const DOT = 0x2e;

/** No octets. */
export const NOTHING: Uint8Array = new Uint8Array(0);

const REPLACEMENT_CHARACTER = 0xfffd;

function encodeUtf8(text: string): Uint8Array {
  // One UTF-16 code unit takes three octets at most; a pair of them takes four.
  const octets = new Uint8Array(text.length * 3);
  let length = 0;
  for (const character of text) {
    let codePoint = character.codePointAt(0) ?? 0;
    // A string iterates by code points, so a surrogate that turns up here is one without its partner.
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) codePoint = REPLACEMENT_CHARACTER;
    if (codePoint < 0x80) {
      octets[length++] = codePoint;
      continue;
    }
    let following = codePoint < 0x800 ? 1 : codePoint < 0x10000 ? 2 : 3;
    // As many ones as there are octets, and a zero; of the sum the array takes the last eight bits.
    octets[length++] = (0xff00 >> (following + 1)) | (codePoint >> (6 * following));
    while (following-- > 0) octets[length++] = 0x80 | ((codePoint >> (6 * following)) & 0x3f);
  }
  return octets.slice(0, length);
}

/** The text in UTF-8 (RFC 3629). A surrogate without its partner becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const length = text.length;
  const octets = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return encodeUtf8(text);
    octets[i] = unit;
  }
  return octets;
}

/** The text from octet `from` up to `length`; `undefined` when one of these is not ASCII. */
export function decodeAscii(octets: Uint8Array, from = 0, length = octets.length): string | undefined {
  let text = '';
  let i = from;
  // Eight at a time: one octet a call builds too many strings, and spreading a typed array is slower still.
  for (; i + 8 <= length; i += 8) {
    const a = octets[i] as number;
    const b = octets[i + 1] as number;
    const c = octets[i + 2] as number;
    const d = octets[i + 3] as number;
    const e = octets[i + 4] as number;
    const f = octets[i + 5] as number;
    const g = octets[i + 6] as number;
    const h = octets[i + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; i < length; i++) {
    const octet = octets[i] as number;
    if (octet > 0x7f) return undefined;
    text += String.fromCharCode(octet);
  }
  return text;
}

/** The first code point that takes so many octets after the leading one. */
const SMALLEST = [0, 0x80, 0x800, 0x10000];

function decodeUtf8(octets: Uint8Array): string | undefined {
  const length = octets.length;
  let text = '';
  let i = 0;
  while (i < length) {
    const lead = octets[i++] as number;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    if (lead < 0xc0 || lead >= 0xf8) return undefined;
    let following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    const smallest = SMALLEST[following] as number;
    let codePoint = lead & (0x3f >> following);
    for (; following > 0; following--) {
      // Past the end this is undefined, hence 0, which follows nothing.
      const octet = octets[i++] ?? 0;
      if ((octet & 0xc0) !== 0x80) return undefined;
      codePoint = (codePoint << 6) | (octet & 0x3f);
    }
    // Overlong forms would let one name be spelt in two ways, past whoever compares octets (RFC 3629 §10).
    if (codePoint < smallest || codePoint > 0x10ffff) return undefined;
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) return undefined;
    text += String.fromCodePoint(codePoint);
  }
  return text;
}

/**
 * The text that the octets spell in UTF-8, or `undefined` when they spell none: overlong forms, surrogates,
 * code points over U+10FFFF and sequences cut short are not UTF-8 (RFC 3629 §3).
 */
export function decodeText(octets: Uint8Array): string | undefined {
  return decodeAscii(octets) ?? decodeUtf8(octets);
}

/**
 * The parts in one new array.
 *
 * @param total the sum of their lengths, for a caller that already knows it
 */
export function concatenate(
  parts: readonly Uint8Array[],
  total: number = parts.reduce((sum, part) => sum + part.length, 0),
): Uint8Array {
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const NO_WORDS = new Int32Array(0);

/** Below this many octets a view of words costs more than it saves. */
const WORTH_WORDS = 128;

/** Which octet of a word is its first is up to the machine; elsewhere octets are searched one by one. */
const LITTLE_ENDIAN = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** The aligned words that lie in the octets, for `indexOfControl`: make them once for many searches. */
export function wordsIn(octets: Uint8Array): Int32Array {
  if (octets.length < WORTH_WORDS || !LITTLE_ENDIAN) return NO_WORDS;
  const before = -octets.byteOffset & 3;
  return new Int32Array(octets.buffer, octets.byteOffset + before, (octets.length - before) >> 2);
}

/** Not zero when an octet of the word is up to CR; `firstOf` then tells which is the first. */
export function controlsIn(four: number): number {
  return (four - 0x0e0e0e0e) & ~four & 0x80808080;
}

/** Which octet of the word, from 0, is the first of those that `controlsIn` found. */
export function firstOf(controls: number): number {
  return (31 - Math.clz32(controls & -controls)) >> 3;
}

/**
 * Where the first octet up to and including CR stands from `from` on, or the length when none does. NUL, LF
 * and CR are among those; the others are rare in mail. Four octets at a time: three times as fast as one by
 * one, and the built-in `indexOf` searches for one octet only, no faster.
 *
 * @param words what `wordsIn` made of the same octets
 */
export function indexOfControl(octets: Uint8Array, words: Int32Array, from: number): number {
  const length = octets.length;
  const before = words.byteOffset - octets.byteOffset;
  const count = words.length;
  let word = (from - before) >> 2;
  let i = from;
  if (word >= 0 && word < count) {
    // What lies before `from` in the first word is made to look harmless.
    let controls = controlsIn((words[word] as number) | ((1 << (((from - before) & 3) << 3)) - 1));
    while (controls === 0 && ++word < count) controls = controlsIn(words[word] as number);
    if (controls !== 0) return before + (word << 2) + firstOf(controls);
    i = before + (count << 2);
  }
  for (; i < length; i++) if ((octets[i] as number) <= CR) return i;
  return length;
}

/** Below this many octets, calling the built-in copy costs more than it saves. */
const WORTH_SET = 64;

/** Copies the octets from `begin` to `end` into the target, from `offset` on; returns where they end there. */
export function copyOctets(
  source: Uint8Array,
  begin: number,
  end: number,
  target: Uint8Array,
  offset: number,
): number {
  if (end - begin >= WORTH_SET) {
    target.set(source.subarray(begin, end), offset);
    return offset + end - begin;
  }
  let at = offset;
  for (let i = begin; i < end; i++) target[at++] = source[i] as number;
  return at;
}
