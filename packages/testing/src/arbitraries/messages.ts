/** Messages, biased to what framing and transparency trip over: dots, CRs, LFs, and the borders of limits. */
import { concatenate, encodeText } from '@sansmtp/core';
import * as fc from 'fast-check';
import { escaped, printedAs } from './printing.js';

export interface MessageOptions {
  /**
   * Lines end in CRLF, and there is no other CR or LF, nor a NUL: what DATA may carry (RFC 5321 §2.3.8).
   * @default true
   */
  readonly wellFormed?: boolean;
  /**
   * Octets beyond ASCII, which need 8BITMIME (RFC 6152).
   * @default true
   */
  readonly eightBit?: boolean;
}

const LINES = [
  '',
  '.',
  '..',
  '...',
  '.a',
  'a.',
  'a',
  ' ',
  '\t',
  'QUIT',
  'DATA',
  'Subject: hello',
  'From a@b',
  '. ',
  'a'.repeat(998),
];
const LOOSE = ['\r', '\n', '\n.\n', '\r.\r', '\n.\r\n', '\r\n.\n', '\r\n.\r', '\0', '\r\r\n', '\n\n'];
const EIGHT_BIT = [Uint8Array.of(0xff), Uint8Array.of(0xc3), encodeText('é'), encodeText('中')];

/**
 * The octets of a message, transparency undone. It shrinks towards an empty one; fast-check prints it escaped.
 */
export function message({
  wellFormed = true,
  eightBit = true,
}: MessageOptions = {}): fc.Arbitrary<Uint8Array> {
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...LINES).map(encodeText) },
    {
      weight: 2,
      arbitrary: fc.string({ maxLength: 20 }).map((each) => encodeText(each.replace(/[^ -~]/g, '.'))),
    },
    ...(eightBit ? [{ weight: 2, arbitrary: fc.constantFrom(...EIGHT_BIT) }] : []),
  );
  const line = fc
    .array(text, { minLength: 1, maxLength: 2 })
    .map((parts) => concatenate([...parts, encodeText('\r\n')]));
  const piece = wellFormed ? line : fc.oneof(line, text, fc.constantFrom(...LOOSE).map(encodeText));
  return fc.array(piece, { maxLength: 12 }).map((pieces) => printedAs(concatenate(pieces), escaped));
}
