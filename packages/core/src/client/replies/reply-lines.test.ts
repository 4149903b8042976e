import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { octetsOf, textOf } from '../dialogue.test-support.js';
import { ReplyLines } from './reply-lines.js';

/** The next line, or why there is none. */
function next(lines: ReplyLines, maximumLength = 512): Uint8Array | 'tooLong' | undefined {
  const found = lines.next(maximumLength);
  return found === 'line' ? lines.line : found;
}

/** All lines of the text, cut as it is told, and what is left over. */
function linesOf(chunks: readonly string[], maximumLength = 512): string[] {
  const lines = new ReplyLines();
  const read: string[] = [];
  for (const chunk of chunks) {
    lines.push(octetsOf(chunk));
    for (let line = next(lines, maximumLength); line !== undefined; line = next(lines, maximumLength)) {
      if (line === 'tooLong') return [...read, 'tooLong'];
      read.push(textOf(line));
    }
  }
  return read;
}

describe('the first line that is not empty', () => {
  it('that ends in CRLF makes a bare CR and a bare LF text', () => {
    expect(linesOf(['220 b\r\n250 queued\nas\r4711\r\n\n250 b\r\r\n'])).toEqual([
      '220 b',
      '250 queued\nas\r4711',
      '\n250 b\r',
    ]);
  });

  it('that ends in LF alone makes LF the end of lines, with or without CR', () => {
    expect(linesOf(['220 b\n250 a\r\n250 b\n'])).toEqual(['220 b', '250 a', '250 b']);
    expect(linesOf(['220 b\nno\r\n'])).toEqual(['220 b', 'no']);
  });

  it('is not one that is empty, whichever end that has', () => {
    expect(linesOf(['\n\r\n220 b\r\n250 a\nb\r\n'])).toEqual(['', '', '220 b', '250 a\nb']);
    expect(linesOf(['\r\n220 b\n250 a\n'])).toEqual(['', '220 b', '250 a']);
  });
});

describe('a line', () => {
  it('is too long once as many octets as the limit do not end it', () => {
    expect(linesOf(['12345678\r\n'], 10)).toEqual(['12345678']);
    expect(linesOf(['123456789\r\n'], 10)).toEqual(['tooLong']);
    expect(linesOf(['1\r\n2345678\nx'], 10)).toEqual(['1']);
    expect(linesOf(['1\r\n2345678\nx\r'], 10)).toEqual(['1', 'tooLong']);
  });

  it('stays as it was handed out, whatever comes later', () => {
    const lines = new ReplyLines();
    lines.push(octetsOf('22'));
    lines.push(octetsOf('0 b\r\n25'));
    const first = next(lines);
    for (let count = 0; count < 300; count++) lines.push(octetsOf('y'));
    lines.push(octetsOf('\r\n'));
    expect(next(lines)).toHaveLength(302);
    expect(first).toEqual(octetsOf('220 b'));
  });

  it('is the same however its octets come, the limit included', () => {
    const text = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', '250 ', '\0', 'xxxx'), { maxLength: 40 });
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(text, cuts, fc.integer({ min: 2, max: 12 }), (parts, lengths, limit) => {
        const all = parts.join('');
        const chunks: string[] = [];
        for (let from = 0, turn = 0; from < all.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          chunks.push(all.slice(from, from + length));
          from += length;
        }
        const whole = linesOf([all], limit);
        expect(linesOf(chunks, limit)).toEqual(whole);
        expect(linesOf([...all], limit)).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what is pushed after the beginning of a line', () => {
  it.each([1, 4096, 100_000])('is taken whole, however large: %i octets', (count) => {
    const lines = new ReplyLines();
    lines.push(Uint8Array.from([0x32]));
    lines.push(new Uint8Array(count).fill(0x35));
    lines.push(Uint8Array.from([0x0d, 0x0a]));
    expect(lines.length).toBe(count + 3);
    expect(next(lines, 200_000)).toHaveLength(count + 1);
  });
});
