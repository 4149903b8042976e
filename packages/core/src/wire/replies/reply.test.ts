import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RemoteProtocolError } from '../../errors.js';
import { decodeText, encodeText } from '../octets.js';
import {
  formatReply,
  isReply,
  type Reply,
  ReplyParser,
  replyText,
  severity,
  withEnhancedCode,
} from './reply.js';

const format = (reply: Reply) => decodeText(formatReply(reply));

/** What the parser says to the last of the lines; to all before it, it must have said `undefined`. */
function parse(...lines: (string | Uint8Array)[]): Reply | RemoteProtocolError | undefined {
  const parser = new ReplyParser({ maximumLines: 128 });
  const results = lines.map((line) => parser.push(typeof line === 'string' ? encodeText(line) : line));
  const last = results.pop();
  expect(results).toEqual(results.map(() => undefined));
  return last;
}

/** The lines of octets that were made by `formatReply`, each without its CRLF. */
function linesOf(octets: Uint8Array): string[] {
  const lines = decodeText(octets)?.split('\r\n') ?? [];
  expect(lines.pop()).toBe('');
  return lines;
}

describe('formatReply', () => {
  it.each<[string, Reply]>([
    ['250 OK\r\n', { code: 250, lines: ['OK'] }],
    ['250 2.1.5 OK\r\n', { code: 250, enhancedCode: '2.1.5', lines: ['OK'] }],
    ['250-a\r\n250-b\r\n250 c\r\n', { code: 250, lines: ['a', 'b', 'c'] }],
    ['550-5.7.1 a\r\n550 5.7.1 b\r\n', { code: 550, enhancedCode: '5.7.1', lines: ['a', 'b'] }],
    ['354 \r\n', { code: 354, lines: [''] }],
    ['250-\r\n250 \r\n', { code: 250, lines: ['', ''] }],
    ['421 4.3.2 \r\n', { code: 421, enhancedCode: '4.3.2', lines: [''] }],
  ])('writes %j (RFC 5321 §4.2.1, RFC 2034 §4)', (text, reply) => {
    expect(format(reply)).toBe(text);
  });

  it.each(['a\r\nb', 'a\nb', 'a\rb'])('starts a new line at the line end in %j', (text) => {
    expect(format({ code: 250, enhancedCode: '2.0.0', lines: [text] })).toBe(
      '250-2.0.0 a\r\n250 2.0.0 b\r\n',
    );
  });

  it('writes a tab as it is, and ? for each other character outside printable ASCII (RFC 5321 §4.2)', () => {
    expect(format({ code: 250, lines: ['a\tb'] })).toBe('250 a\tb\r\n');
    expect(format({ code: 250, lines: ['\0\x1b[2J\x7fé😀\ud800'] })).toBe('250 ??[2J????\r\n');
  });

  it('folds lines of over 512 octets with their CRLF, and none of 512 (RFC 5321 §4.5.3.1.5)', () => {
    expect(linesOf(formatReply({ code: 250, lines: ['a'.repeat(506)] }))).toEqual([`250 ${'a'.repeat(506)}`]);
    expect(linesOf(formatReply({ code: 250, lines: ['a'.repeat(507)] }))).toEqual([
      `250-${'a'.repeat(506)}`,
      '250 a',
    ]);
    expect(linesOf(formatReply({ code: 250, enhancedCode: '2.0.0', lines: ['a'.repeat(501)] }))).toEqual([
      `250-2.0.0 ${'a'.repeat(500)}`,
      '250 2.0.0 a',
    ]);
  });

  it('does not fold amid a character of two code units', () => {
    const text = formatReply({ code: 250, lines: [`${'a'.repeat(167)}\u{1f600}b`] }, { utf8: true });
    expect(decodeText(text)).toBe(`250-${'a'.repeat(167)}\r\n250 \u{1f600}b\r\n`);
  });

  it('folds behind a space where there is one', () => {
    const word = 'a'.repeat(300);
    expect(linesOf(formatReply({ code: 250, lines: [`${word} ${word}`] }))).toEqual([
      `250-${word} `,
      `250 ${word}`,
    ]);
  });

  it.each([199, 600, 0, -250, 250.5, Number.NaN, 1250])('throws a RangeError for the code %d', (code) => {
    expect(() => formatReply({ code, lines: ['OK'] })).toThrow(RangeError);
  });

  it('takes the codes 200 and 599', () => {
    expect(format({ code: 200, lines: [''] })).toBe('200 \r\n');
    expect(format({ code: 599, lines: [''] })).toBe('599 \r\n');
  });

  it('throws a RangeError for a reply without a line', () => {
    expect(() => formatReply({ code: 250, lines: [] })).toThrow(RangeError);
  });

  it.each([
    // Malformed (RFC 3463 §2)
    [250, ''],
    [250, '2'],
    [250, '2.0'],
    [250, '2.0.0.0'],
    [250, '2.0.1234'],
    [250, '2.01.0'],
    [250, '2.0.0 '],
    [250, '2.0.0\r\n'],
    [250, '2.a.0'],
    [350, '3.0.0'],
    // Of another class than the code (RFC 2034 §4)
    [250, '5.0.0'],
    [550, '4.0.0'],
    [354, '2.0.0'],
  ])('throws a RangeError for code %d with the enhanced status code %j', (code, enhancedCode) => {
    expect(() => formatReply({ code, enhancedCode, lines: ['x'] })).toThrow(RangeError);
  });

  it('takes enhanced status codes of up to three digits a part', () => {
    expect(format({ code: 550, enhancedCode: '5.123.999', lines: ['x'] })).toBe('550 5.123.999 x\r\n');
  });

  it('writes well-formed lines of one reply whatever the text holds (RFC 5321 §4.2)', () => {
    const text = fc.oneof(
      fc.uint16Array({ maxLength: 12 }).map((units) => String.fromCharCode(...units)),
      fc.string({ unit: fc.constantFrom('\r', '\n', 'a', ' ', '\0') }),
      fc.integer({ min: 400, max: 1200 }).map((length) => 'some words and '.repeat(80).slice(0, length)),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), fc.boolean(), (texts, enhanced) => {
        const lines = linesOf(
          formatReply({ code: 450, lines: texts, ...(enhanced ? { enhancedCode: '4.7.1' } : {}) }),
        );
        const wellFormed = enhanced ? /^450[ -]4\.7\.1 [\t -~]*$/ : /^450[ -][\t -~]*$/;
        const misshapen = lines.filter((line) => !wellFormed.test(line) || line.length + 2 > 512);
        expect(misshapen).toEqual([]);
        expect(lines.findIndex((line) => line[3] === ' ')).toBe(lines.length - 1);
        // Folding and splitting drop nothing.
        const written = lines.map((line) => line.slice(enhanced ? 10 : 4)).join('');
        expect(written).toBe(
          texts
            .join('')
            .replace(/[\r\n]/g, '')
            .replace(/[^\t -~]/gu, '?'),
        );
      }),
    );
  });
});

describe('formatReply with UTF-8 (RFC 6531 §3.7.4)', () => {
  const linesInUtf8 = (reply: Reply) => linesOf(formatReply(reply, { utf8: true }));

  it('writes characters outside ASCII as they are, and ? for control characters', () => {
    expect(linesInUtf8({ code: 250, lines: ['José 😀\t'] })).toEqual(['250 José 😀\t']);
    expect(linesInUtf8({ code: 250, lines: ['\0\x1b[2J\x7f\x85\x9b'] })).toEqual(['250 ??[2J???']);
  });

  it('starts a new line at a line end, and at nothing else', () => {
    expect(linesInUtf8({ code: 250, lines: ['é\r\né\né'] })).toEqual(['250-é', '250-é', '250 é']);
    expect(linesInUtf8({ code: 250, lines: ['a\u2028b'] })).toEqual(['250 a\u2028b']);
  });

  it('is the same as without where the text is ASCII and need not be folded', () => {
    const reply = { code: 550, enhancedCode: '5.7.1', lines: ['a'.repeat(500), 'b\tc'] };
    expect(formatReply(reply, { utf8: true })).toEqual(formatReply(reply));
  });

  it('writes lines of 512 octets at most, and no half characters, whatever the text holds', () => {
    const unit = fc.constantFrom('é', '€', '😀', 'a', ' ', '\r', '\n', '\0', '\x85');
    const text = fc.oneof(
      fc.string({ unit, maxLength: 12 }),
      fc
        .tuple(fc.string({ unit, minLength: 1, maxLength: 6 }), fc.integer({ min: 80, max: 300 }))
        .map(([part, times]) => part.repeat(times)),
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (texts) => {
        const octets = formatReply({ code: 250, lines: texts }, { utf8: true });
        const lines = linesOf(octets);
        expect(lines.filter((line) => encodeText(line).length + 2 > 512)).toEqual([]);
        expect(lines.filter((line) => !/^250[ -]/.test(line))).toEqual([]);
        expect(lines.map((line) => line.slice(4)).join('')).toBe(
          texts
            .join('')
            .replace(/[\r\n]/g, '')
            .replace(/[\0\x85]/g, '?'),
        );
      }),
    );
  });
});

describe('ReplyParser', () => {
  it.each<[string[], Reply]>([
    [['250 OK'], { code: 250, lines: ['OK'] }],
    [['250-a', '250-b', '250 c'], { code: 250, lines: ['a', 'b', 'c'] }],
    [['250'], { code: 250, lines: [''] }],
    [['250 '], { code: 250, lines: [''] }],
    [['250-', '250'], { code: 250, lines: ['', ''] }],
    [['250  two spaces '], { code: 250, lines: [' two spaces '] }],
    [['220 b.example\tESMTP'], { code: 220, lines: ['b.example\tESMTP'] }],
  ])('reads %j (RFC 5321 §4.2)', (lines, reply) => {
    expect(parse(...lines)).toEqual(reply);
  });

  it('reads codes that nobody defined, by their first digit (RFC 5321 §4.2.1)', () => {
    expect(parse('299 x')).toMatchObject({ code: 299 });
    expect(parse('569 x')).toMatchObject({ code: 569 });
  });

  it('reads one reply after another', () => {
    const parser = new ReplyParser({ maximumLines: 128 });
    expect(parser.push(encodeText('250-a'))).toBeUndefined();
    expect(parser.push(encodeText('250 b'))).toEqual({ code: 250, lines: ['a', 'b'] });
    expect(parser.push(encodeText('354 go on'))).toEqual({ code: 354, lines: ['go on'] });
  });

  it.each<[string[], Reply]>([
    [['250 2.1.5 OK'], { code: 250, enhancedCode: '2.1.5', lines: ['OK'] }],
    [['250 2.1.5'], { code: 250, enhancedCode: '2.1.5', lines: [''] }],
    [['550-5.7.1 a', '550 5.7.1 b'], { code: 550, enhancedCode: '5.7.1', lines: ['a', 'b'] }],
    [['550-5.7.1 a', '550-b', '550 5.7.1'], { code: 550, enhancedCode: '5.7.1', lines: ['a', 'b', ''] }],
    [['550-5.7.1 a', '550 5.7.2 b'], { code: 550, enhancedCode: '5.7.1', lines: ['a', '5.7.2 b'] }],
  ])('takes the enhanced status code out of %j (RFC 2034 §4)', (lines, reply) => {
    expect(parse(...lines)).toEqual(reply);
  });

  it.each([
    [['250 5.1.5 of another class']],
    [['354 3.0.0 of a class that is none']],
    [['250 2.1 too short']],
    [['250 2.1.5. a full stop']],
    [['250 2.01.5 a leading zero']],
    [['250-first without', '250 2.1.5 second with']],
  ])('leaves what is no enhanced status code in the text: %j', (lines) => {
    const reply = parse(...lines);
    expect(reply).not.toHaveProperty('enhancedCode');
    expect(reply).toHaveProperty(
      'lines',
      lines.map((line) => line.slice(4)),
    );
  });

  it.each([
    '',
    ' ',
    'hello',
    '25',
    '25 OK',
    '2500',
    '250OK',
    '250_OK',
    '250\tOK',
    ' 250 OK',
    '150 OK',
    '050 OK',
    '650 OK',
    'a50 OK',
    '2a0 OK',
    '-250 OK',
  ])('gives a RemoteProtocolError for %j', (line) => {
    expect(parse(line)).toBeInstanceOf(RemoteProtocolError);
  });

  it.each<[string[], Reply]>([
    [['250-a', '251 b'], { code: 251, lines: ['a', 'b'] }],
    [['550-No', '554 No'], { code: 554, lines: ['No', 'No'] }],
    [
      ['550-5.1.1 Nobody', '554-5.7.1 No', '554 5.7.1 Really'],
      { code: 554, enhancedCode: '5.7.1', lines: ['5.1.1 Nobody', 'No', 'Really'] },
    ],
    [['450-4.2.0 Busy', '451 Later'], { code: 451, lines: ['4.2.0 Busy', 'Later'] }],
  ])('takes the code of the last line where the codes are of one class: %j', (lines, reply) => {
    expect(parse(...lines)).toEqual(reply);
  });

  it.each([
    [['250-a', '550 b'], '250 and 550: "250 a 550 b"'],
    [['550-a', '250-b', '550 c'], '550 and 250: "550 a 250 b 550 c"'],
    [['421-a', '450 b'], '421 and 450: "421 a 450 b"'],
    [['450-a', '421 b'], '450 and 421: "450 a 421 b"'],
    [['354-a', '250 b'], '354 and 250: "354 a 250 b"'],
  ])(
    'gives a RemoteProtocolError, which shows the text, for classes that differ or 421 among others: %j',
    (lines, said) => {
      expect(parse(...lines)).toEqual(
        new RemoteProtocolError(`The lines of one reply have different codes, ${said}`),
      );
    },
  );

  it('says what came instead of a reply line, harmless and cut to 200 characters', () => {
    expect(parse(`\x1b[2J"${'x'.repeat(300)}`)).toEqual(
      new RemoteProtocolError(
        'A reply line starts with a code of 200 to 599 and then a space, a hyphen or its end, not like ' +
          `"?[2J\\"${'x'.repeat(195)}"`,
      ),
    );
  });

  it('takes 128 lines a reply and no more', () => {
    const more = Array.from({ length: 127 }, () => '250-x');
    expect(parse(...more, '250 x')).toHaveProperty('lines.length', 128);
    expect(parse(...more, '250-x', '250 x')).toEqual(
      new RemoteProtocolError(`A reply has more than 128 lines: "${'250 x '.repeat(128).slice(0, 200)}"`),
    );
  });

  it('takes as many lines a reply as it is told, in each reply', () => {
    const parser = new ReplyParser({ maximumLines: 2 });
    for (const _ of [1, 2]) {
      expect(parser.push(encodeText('250-a'))).toBeUndefined();
      expect(parser.push(encodeText('250 b'))).toMatchObject({ lines: ['a', 'b'] });
    }
    expect(parser.push(encodeText('250-a'))).toBeUndefined();
    expect(parser.push(encodeText('250-b'))).toBeUndefined();
    expect(parser.push(encodeText('250 c'))).toBeInstanceOf(RemoteProtocolError);
  });

  it('reads text in UTF-8, and ? for octets that are none (RFC 6531 §3.7.4)', () => {
    expect(parse('250 jösé')).toEqual({ code: 250, lines: ['jösé'] });
    expect(parse(Uint8Array.of(0x32, 0x35, 0x30, 0x20, 0x61, 0xe9, 0x62))).toEqual({
      code: 250,
      lines: ['a?b'],
    });
    expect(parse(Uint8Array.of(0x32, 0x35, 0x30, 0x20, 0x80))).toEqual({ code: 250, lines: ['?'] });
  });

  it('reads ? for control characters other than the tab', () => {
    expect(parse('250 a\x1b[2J\0\x7f\x9b\tb')).toEqual({ code: 250, lines: ['a?[2J???\tb'] });
    expect(parse('250 a\nb\rc')).toEqual({ code: 250, lines: ['a?b?c'] });
  });

  const part = fc.integer({ min: 0, max: 999 });
  const reply: fc.Arbitrary<Reply> = fc
    .record({
      code: fc.integer({ min: 200, max: 599 }),
      parts: fc.option(fc.tuple(part, part)),
      // No digit first: what reads like an enhanced status code is taken for one.
      lines: fc.array(fc.stringMatching(/^([\t -/:-~][\t -~]{0,60})?$/), { minLength: 1, maxLength: 5 }),
    })
    .map(({ code, parts, lines }) => {
      const enhanced = parts !== null && (code < 300 || code >= 400);
      return enhanced
        ? { code, enhancedCode: `${Math.floor(code / 100)}.${parts.join('.')}`, lines }
        : { code, lines };
    });

  it('undoes formatReply', () => {
    fc.assert(
      fc.property(reply, (any) => {
        expect(parse(...linesOf(formatReply(any)))).toEqual(any);
      }),
    );
  });

  it('makes a reply that formatReply takes of any lines, or a RemoteProtocolError', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .tuple(fc.constantFrom('250', '550', '354', '19', ''), fc.constantFrom(' ', '-', ''), fc.string())
        .map((parts) => encodeText(parts.join(''))),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        const parser = new ReplyParser({ maximumLines: 128 });
        for (const any of lines) {
          const result = parser.push(any);
          if (result instanceof RemoteProtocolError) return;
          if (result !== undefined) formatReply(result);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('severity', () => {
  it.each([
    [200, 'success'],
    [299, 'success'],
    [300, 'intermediate'],
    [399, 'intermediate'],
    [400, 'transient'],
    [499, 'transient'],
    [500, 'permanent'],
    [599, 'permanent'],
  ])('of %d is %s (RFC 5321 §4.2.1)', (code, meaning) => {
    expect(severity(code)).toBe(meaning);
  });
});

describe('replyText', () => {
  it('is the code, the enhanced status code and the text in one line', () => {
    expect(replyText({ code: 550, enhancedCode: '5.7.1', lines: ['No', 'not today'] })).toBe(
      '550 5.7.1 No not today',
    );
    expect(replyText({ code: 250, lines: ['OK'] })).toBe('250 OK');
  });

  it('has no space where there is no text', () => {
    expect(replyText({ code: 250, lines: [''] })).toBe('250');
    expect(replyText({ code: 250, lines: ['a', '', 'b'] })).toBe('250 a b');
  });
});

describe('the enhanced status code of a reply that came without one (RFC 2034 §4)', () => {
  it.each([
    [250, 'fine', '250 2.0.0 fine'],
    [452, 'later', '452 4.0.0 later'],
    [550, 'returned', '550 5.0.0 returned'],
    [550, '5.1.1 nobody', '550 5.1.1 nobody'],
    [550, '4.1.1 of another class', '550 5.0.0 4.1.1 of another class'],
    [550, '5.1.1nobody', '550 5.0.0 5.1.1nobody'],
    [354, 'go ahead', '354 go ahead'],
  ])('%i %s', (code, text, written) => {
    expect(format(withEnhancedCode({ code, lines: [text] }))).toBe(`${written}\r\n`);
  });

  it('stands on each line', () => {
    expect(format(withEnhancedCode({ code: 550, lines: ['5.1.1 nobody', 'at all'] }))).toBe(
      '550-5.1.1 nobody\r\n550 5.1.1 at all\r\n',
    );
  });
});

describe('what is no reply', () => {
  it.each([
    [undefined],
    [{ code: 250 }],
    [{ code: 250, lines: 'text' }],
    [{ code: 250, lines: ['a', 1] }],
    [{ code: 250, lines: ['a'], enhancedCode: 2 }],
    [{ code: '250', lines: ['a'] }],
    [{ code: 250, lines: [1] }],
  ])('%j', (value) => {
    expect(isReply(value)).toBe(false);
  });

  it('cannot be written', () => {
    expect(() => formatReply({ code: 250, lines: 'text' as never })).toThrow(
      new TypeError('The lines of a reply are an array of strings'),
    );
  });
});
