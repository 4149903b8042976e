import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodeText } from '../octets.js';
import { commandSpans, replyOctets } from './spans.js';

function parts(line: string): [string, string][] {
  const octets = encodeText(line);
  return commandSpans(octets).map(({ part, from, to }) => [
    part,
    decodeText(octets.subarray(from, to)) ?? '',
  ]);
}

describe('the parts of a command', () => {
  it.each<[string, [string, string][]]>([
    ['QUIT', [['verb', 'QUIT']]],
    [
      'ehlo  c.example',
      [
        ['verb', 'ehlo'],
        ['name', 'c.example'],
      ],
    ],
    [
      'MAIL FROM: <a@b> SIZE=10 SMTPUTF8',
      [
        ['verb', 'MAIL'],
        ['clause', 'FROM:'],
        ['path', '<a@b>'],
        ['keyword', 'SIZE'],
        ['value', '10'],
        ['keyword', 'SMTPUTF8'],
      ],
    ],
    [
      'RCPT TO:<péter@b> NOTIFY=NEVER',
      [
        ['verb', 'RCPT'],
        ['clause', 'TO:'],
        ['path', '<péter@b>'],
        ['keyword', 'NOTIFY'],
        ['value', 'NEVER'],
      ],
    ],
    [
      'BDAT 86 LAST',
      [
        ['verb', 'BDAT'],
        ['size', '86'],
        ['keyword', 'LAST'],
      ],
    ],
    [
      'VRFY jörg SMTPUTF8',
      [
        ['verb', 'VRFY'],
        ['argument', 'jörg'],
        ['keyword', 'SMTPUTF8'],
      ],
    ],
    [
      'AUTH PLAIN',
      [
        ['verb', 'AUTH'],
        ['name', 'PLAIN'],
      ],
    ],
    [
      'NOOP  hello ',
      [
        ['verb', 'NOOP'],
        ['argument', 'hello'],
      ],
    ],
    ['NONSENSE x', [['verb', 'NONSENSE']]],
    [
      'MAIL FROM:<a',
      [
        ['verb', 'MAIL'],
        ['clause', 'FROM:'],
      ],
    ],
    ['', []],
  ])('%s', (line, expected) => {
    expect(parts(line)).toEqual(expected);
  });

  it('lie within the line, in order, and do not overlap', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `MAIL FROM:<a@b> ${text}`),
        ),
        (text) => {
          const line = encodeText(text);
          let end = 0;
          for (const { from, to } of commandSpans(line)) {
            expect(from).toBeGreaterThanOrEqual(end);
            expect(to).toBeGreaterThan(from);
            end = to;
          }
          expect(end).toBeLessThanOrEqual(line.length);
        },
      ),
    );
  });
});

describe('the parts of a reply', () => {
  it('are code, enhanced status code and text, on each line', () => {
    const { octets, spans } = replyOctets({ code: 550, enhancedCode: '5.1.1', lines: ['No such user', ''] });
    expect(decodeText(octets)).toBe('550-5.1.1 No such user\r\n550 5.1.1 \r\n');
    const shown = spans.map(({ part, from, to }) => `${part} ${decodeText(octets.subarray(from, to))}`);
    expect(shown).toEqual([
      'code 550',
      'enhancedCode 5.1.1',
      'text No such user',
      'code 550',
      'enhancedCode 5.1.1',
    ]);
  });
});
