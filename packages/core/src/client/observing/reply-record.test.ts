import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { octetsOf, textOf } from '../dialogue.test-support.js';
import { ReplyRecord } from './reply-record.js';

const isWithheld = (line: Uint8Array) => textOf(line).includes('secret');

function recordOf(...pieces: readonly string[]): string {
  const record = new ReplyRecord();
  return (
    pieces.map((piece) => textOf(record.take(octetsOf(piece), isWithheld))).join('') + textOf(record.end())
  );
}

describe('the record of replies', () => {
  it('has lines as they are, but for the code and length of those that are withheld', () => {
    expect(recordOf('250-a\r\n250 b\r\n')).toBe('250-a\r\n250 b\r\n');
    expect(recordOf('550-Not with secret\r\n550 No\r\n')).toBe('550-[21 octets]\r\n550 No\r\n');
    expect(recordOf('What is secret?\r\n')).toBe('[17 octets]\r\n');
  });

  it('has of a line without an end how long it was', () => {
    expect(recordOf('250 OK\r\n550 se')).toBe('250 OK\r\n550 [6 octets]\r\n');
  });

  it('holds no more of a line than any may have', () => {
    const long = 'x'.repeat(12_288);
    expect(recordOf(`${long}x\r\n`)).toBe('[12288 octets]\r\nx\r\n');
    expect(recordOf(`${long.slice(2)}\r\n`)).toBe(`${long.slice(2)}\r\n`);
  });

  it('is the same whatever the pieces', () => {
    const line = fc.constantFrom(
      '250 OK\r\n',
      '550 secret\r\n',
      '250-s',
      'ecret',
      '\n',
      '\r',
      'x'.repeat(7_000),
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9_000 })),
        (lines, sizes) => {
          const text = lines.join('');
          const pieces: string[] = [];
          for (let begin = 0; begin < text.length; ) {
            const end = begin + (sizes.next().value ?? 1);
            pieces.push(text.slice(begin, end));
            begin = end;
          }
          expect(recordOf(...pieces)).toBe(recordOf(text));
        },
      ),
    );
  });
});
