import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wordsIn } from '../octets.js';
import { endOfPlainLines } from './plain-lines.js';

const LIMIT = 60;

/** The same octets at each of the four places in a word. */
const atEveryAlignment = (text: string) =>
  [0, 1, 2, 3].map((shift) => {
    const buffer = new ArrayBuffer(shift + text.length);
    const octets = new Uint8Array(buffer, shift);
    octets.set(Buffer.from(text, 'latin1'));
    return octets;
  });

/** How many octets at the beginning are plain lines, read naively. */
function naive(text: string): number {
  let end = 0;
  for (const [line] of text.matchAll(/[^\r]*\r\n|[\s\S]+$/g)) {
    if (!/^[^.][^\0-\r]*\r\n$|^\r\n$/.test(line) || /^[\0-\f]/.test(line) || line.length > LIMIT) break;
    end += line.length;
  }
  return end;
}

const plain = fc.string({ unit: fc.constantFrom('a', '.', '\t', '\x0e', '~', '\xff'), maxLength: LIMIT + 5 });
const odd = fc.constantFrom('.', '\0', '\r', '\n', '\r\r\n', 'a\nb', '\x0b', '..');
const text = fc
  .array(fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: odd }), {
    minLength: 8,
    maxLength: 40,
  })
  .map((lines) => `${lines.join('\r\n')}\r\n`)
  .filter(({ length }) => length >= 128);

describe('the run of plain lines', () => {
  it('ends where a naive reading ends it, or at a line before that whose words are not all there', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const expected = naive(whole);
        for (const octets of atEveryAlignment(whole)) {
          const { end, lines } = endOfPlainLines(octets, wordsIn(octets), 0, LIMIT);
          expect(lines).toBe(whole.slice(0, end).split('\r\n').length - 1);
          expect(end).toBeLessThanOrEqual(expected);
          // It is a line's beginning, and at most the lines near the end were left to the reader octet by octet.
          if (end > 0) expect(whole.slice(end - 2, end)).toBe('\r\n');
          const skipsFirstWord = octets.byteOffset % 4 !== 0;
          if (!skipsFirstWord && end < expected) expect(whole.length - end).toBeLessThanOrEqual(LIMIT + 12);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends likewise among lines that are all as long, up to one that is not, or not plain', () => {
    const length = fc.integer({ min: 2, max: LIMIT });
    fc.assert(
      fc.property(
        length,
        length,
        fc.nat(),
        fc.constantFrom(...'.\0\n\r\x0d\x0e\x80\xff'),
        (one, other, at, odd) => {
          const lines = (octets: number) => `${'a'.repeat(octets - 2)}\r\n`.repeat(300 / octets);
          const regular = lines(one) + lines(other);
          const place = at % regular.length;
          const whole = `${regular.slice(0, place)}${odd}${regular.slice(place + 1)}`;
          const expected = naive(whole);
          for (const octets of atEveryAlignment(whole)) {
            const { end, lines: passed } = endOfPlainLines(octets, wordsIn(octets), 0, LIMIT);
            expect(passed).toBe(whole.slice(0, end).split('\r\n').length - 1);
            expect(end).toBeLessThanOrEqual(expected);
            if (octets.byteOffset % 4 === 0 && end < expected)
              expect(whole.length - end).toBeLessThanOrEqual(LIMIT + 12);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('begins in the middle of octets too', () => {
    const octets = new Uint8Array(Buffer.from(`${'.'.repeat(7)}${'a line\r\n'.repeat(40)}.\r\n`));
    expect(endOfPlainLines(octets, wordsIn(octets), 7, LIMIT)).toEqual({ end: 7 + 8 * 40, lines: 40 });
  });

  it('does not pass a line over the limit, and passes one at it', () => {
    const of = (length: number) => {
      const octets = new Uint8Array(Buffer.from(`${'a'.repeat(length - 2)}\r\n${'b'.repeat(200)}`));
      return endOfPlainLines(octets, wordsIn(octets), 0, LIMIT).end;
    };
    expect(of(LIMIT)).toBe(LIMIT);
    expect(of(LIMIT + 1)).toBe(0);
  });
});
