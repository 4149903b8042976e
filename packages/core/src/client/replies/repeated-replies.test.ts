import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RemoteProtocolError } from '../../errors.js';
import { encodeText } from '../../wire/octets.js';
import { ReplyParser } from '../../wire/replies/reply.js';
import { RepeatedReplies } from './repeated-replies.js';
import { ReplyReader } from './reply-reader.js';

const line = fc.oneof(
  fc.constantFrom(
    '250 2.1.0 Ok',
    '250 2.1.5 Ok',
    '250-2.1.0 Ok',
    '250 OK',
    '250',
    '354 Go ahead',
    '550 5.1.1 No',
  ),
  fc.constantFrom(
    '250-one',
    '250 2.0.0 queued as 1',
    '250 2.0.0 queued as 2',
    '251 2.1.0 Ok',
    '250 \x01 Ok',
    '2500 Ok',
  ),
);

/** What `ReplyParser` alone makes of the lines, up to the first that is none of a reply. */
function readOneByOne(lines: readonly string[]): unknown[] {
  const parser = new ReplyParser({ maximumLines: 128 });
  const read: unknown[] = [];
  for (const each of lines) {
    const reply = parser.push(encodeText(each));
    if (reply !== undefined) read.push(reply);
    if (reply instanceof RemoteProtocolError) break;
  }
  return read;
}

describe('replies that a server repeats', () => {
  it('are read as each by itself is', () => {
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 40 }), (lines) => {
        const reader = new ReplyReader(128);
        reader.push(encodeText(lines.map((each) => `${each}\r\n`).join('')));
        const read: unknown[] = [];
        for (
          let next = reader.next(512, () => false);
          next !== undefined;
          next = reader.next(512, () => false)
        ) {
          read.push(next);
          if (next instanceof RemoteProtocolError) break;
        }
        expect(read).toEqual(readOneByOne(lines));
      }),
      { numRuns: 300 },
    );
  });

  it('are one object, which nobody can change', () => {
    const reader = new ReplyReader(128);
    reader.push(encodeText('250 2.1.0 Ok\r\n250 2.1.0 Ok\r\n'));
    const first = reader.next(512, () => false);
    expect(first).toEqual({ code: 250, enhancedCode: '2.1.0', lines: ['Ok'] });
    expect(reader.next(512, () => false)).toBe(first);
    expect(() => Object.assign(first as object, { code: 550 })).toThrow(TypeError);
  });

  it.each([
    ['of a SASL exchange', '334 c2VjcmV0'],
    ['that are long', `250 ${'x'.repeat(61)}`],
  ])('are not remembered: those %s', (_, text) => {
    const replies = new RepeatedReplies();
    const octets = encodeText(text);
    replies.remember(octets, { code: Number(text.slice(0, 3)), lines: [text.slice(4)] });
    expect(replies.find(octets, 0, octets.length)).toBeUndefined();
  });
});
