import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailDataDecoder } from './mail-data-decoder.js';
import { type LoneLineFeed, MailDataEncoder, MailDataError, VERBATIM } from './mail-data-encoder.js';

// One character an octet in these tests, so that strings can stand for octets.
const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

function encode(newlines: LoneLineFeed, chunks: Iterable<string>): string {
  const encoder = new MailDataEncoder({ newlines });
  let wire = '';
  for (const chunk of chunks) wire += textOf(encoder.encode(octetsOf(chunk)));
  return wire + textOf(encoder.end());
}

/** The error that refuses the chunks. */
function refusalOf(newlines: LoneLineFeed, chunks: Iterable<string>): MailDataError | undefined {
  try {
    encode(newlines, chunks);
    return undefined;
  } catch (error) {
    if (error instanceof MailDataError) return error;
    throw error;
  }
}

function decode(chunks: Iterable<string>): { data: string; ended: boolean; left: string } {
  const decoder = new MailDataDecoder({ bareNewline: 'reject', maximumLineLength: Infinity });
  let data = '';
  let ended = false;
  let left = '';
  for (const chunk of chunks) {
    if (ended) {
      left += chunk;
      continue;
    }
    const decoded = decoder.decode(octetsOf(chunk));
    data += textOf(decoded.data);
    ended = decoded.ended;
    left = chunk.slice(decoded.consumed);
  }
  expect(decoder.flaw).toBeUndefined();
  return { data, ended, left };
}

/** Cuts a text into chunks of these lengths, the last of which take octet by octet. */
function cut(text: string, lengths: readonly number[]): string[] {
  const chunks: string[] = [];
  let position = 0;
  for (const length of lengths) {
    chunks.push(text.slice(position, position + length));
    position += length;
  }
  return [...chunks, ...text.slice(position)];
}

const lengths = fc.array(fc.nat({ max: 300 }), { maxLength: 8 });
const cleanPiece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\r\n', '.', '\r\n.', '\r\n..', '\r\n.\r\n', 'x') },
  { weight: 1, arbitrary: fc.constantFrom('\t', '\x0b', '\x7f', '\x80', '\xff') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map((length) => 'y'.repeat(length)) },
);
const cleanText = fc.array(cleanPiece, { maxLength: 30 }).map((pieces) => pieces.join(''));
const anyText = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: cleanPiece },
      { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\0') },
    ),
  )
  .map((pieces) => pieces.join(''));

const withFinalLineEnd = (text: string): string =>
  text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;

describe('mail data without transparency, for BDAT (RFC 3030)', () => {
  const bare = (newlines: LoneLineFeed, chunks: readonly string[]) => {
    const encoder = new MailDataEncoder({ newlines, transparency: false });
    return chunks.map((chunk) => textOf(encoder.encode(octetsOf(chunk)))).join('') + textOf(encoder.end());
  };

  it('has no dots doubled, and nothing that closes it but a line end', () => {
    expect(bare('reject', ['.a\r\n', '..\r\n.\r\n'])).toBe('.a\r\n..\r\n.\r\n');
    expect(bare('reject', ['.'])).toBe('.\r\n');
    expect(bare('reject', [])).toBe('');
  });

  it('is the message that is sent with transparency, line ends and refusals alike', () => {
    fc.assert(
      fc.property(fc.constantFrom('reject', 'convert'), anyText, lengths, (newlines, text, out) => {
        const attempt = (make: () => string) => {
          try {
            return make();
          } catch (error) {
            return String(error);
          }
        };
        const chunked = attempt(() => bare(newlines, cut(text, out)));
        const dotted = attempt(() => encode(newlines, [text]));
        const decoded = dotted.startsWith('MailDataError')
          ? dotted
          : dotted.slice(0, -3).replace(/(^|\r\n)\.\./g, '$1.');
        expect(chunked).toBe(decoded);
      }),
    );
  });
});

describe('VERBATIM, for BINARYMIME (RFC 3030 §3)', () => {
  it('is every octet as it is', () => {
    const chunk = octetsOf('\0\r.\n.');
    expect(VERBATIM.encode(chunk)).toBe(chunk);
    expect(VERBATIM.end()).toHaveLength(0);
  });
});

describe('mail data', () => {
  it('has the dots at the beginning of its lines doubled (RFC 5321 §4.5.2)', () => {
    expect(encode('reject', ['.\r\na.b\r\n..c\r\n'])).toBe('..\r\na.b\r\n...c\r\n.\r\n');
    expect(encode('reject', ['a\r\n', '.b\r\n'])).toBe('a\r\n..b\r\n.\r\n');
  });

  it('is closed behind a line end, which is added if the message has none (RFC 5321 §4.1.1.4)', () => {
    expect(encode('reject', ['a\r\n'])).toBe('a\r\n.\r\n');
    expect(encode('reject', ['a'])).toBe('a\r\n.\r\n');
    expect(encode('reject', ['.'])).toBe('..\r\n.\r\n');
    expect(encode('reject', [])).toBe('.\r\n');
  });

  it('goes out as the very chunk it came in when nothing is to be added', () => {
    const encoder = new MailDataEncoder({ newlines: 'convert' });
    for (const text of ['a.b\r\nc\r', '\nd\xff', '.e']) {
      const chunk = octetsOf(text);
      expect(encoder.encode(chunk)).toBe(chunk);
    }
  });

  it('goes out in one array no larger than needed when something is', () => {
    const encoder = new MailDataEncoder({ newlines: 'convert' });
    const encoded = encoder.encode(octetsOf('.\n'.repeat(10_000)));
    expect(textOf(encoded)).toBe('..\r\n'.repeat(10_000));
    expect(encoded.buffer.byteLength).toBe(40_000);
  });

  it('decodes to the message, however either side cuts it, and does not end before its end', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('reject', 'convert'),
        cleanText,
        lengths,
        lengths,
        (newlines, text, out, back) => {
          const wire = encode(newlines, cut(text, out));
          expect(wire).toBe(encode(newlines, [text]));
          expect(`\r\n${wire}`.indexOf('\r\n.\r\n')).toBe(wire.length - 3);
          expect(decode(cut(`${wire}QUIT\r\n`, back))).toEqual({
            data: withFinalLineEnd(text),
            ended: true,
            left: 'QUIT\r\n',
          });
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a lone LF', () => {
  it('goes out as CRLF when it is to be converted', () => {
    expect(encode('convert', ['a\n\n.b\r\n', '\n', 'c\r', '\n.\n'])).toBe(
      'a\r\n\r\n..b\r\n\r\nc\r\n..\r\n.\r\n',
    );
  });

  it('decodes as CRLF, however the message is cut', () => {
    fc.assert(
      fc.property(anyText, lengths, lengths, (any, out, back) => {
        const text = any.replaceAll('\0', '').replace(/\r(?!\n)/g, '');
        expect(decode(cut(encode('convert', cut(text, out)), back))).toEqual({
          data: withFinalLineEnd(text.replace(/(?<!\r)\n/g, '\r\n')),
          ended: true,
          left: '',
        });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a message that could smuggle another', () => {
  it.each([
    ['a bare LF', 'bare LF', 'ab\ncd\r\n', 2],
    ['a LF behind CRLF', 'bare LF', 'ab\r\n\n', 4],
    ['a bare CR', 'bare CR', 'ab\rcd\r\n', 2],
    ['a CR before CRLF', 'bare CR', 'ab\r\r\n', 2],
    ['a CR at its end', 'bare CR', 'ab\r\ncd\r', 6],
    ['a NUL', 'NUL', 'ab\r\n\0', 4],
    ['a NUL behind a dot', 'NUL', '.\0', 1],
  ])('is refused for %s, with its place in the message', (_, found, text, offset) => {
    for (const newlines of ['reject', 'convert'] as const) {
      if (newlines === 'convert' && found === 'bare LF') continue;
      for (const chunks of [[text], text, [text.slice(0, offset), text.slice(offset)]]) {
        const refusal = refusalOf(newlines, chunks);
        expect(refusal?.offset).toBe(offset);
        expect(refusal?.message).toContain(`${found} at octet ${offset} of the message: `);
      }
    }
  });

  it('is refused for the first such octet, however it is cut', () => {
    fc.assert(
      fc.property(anyText, lengths, (text, out) => {
        const bare = /(?:\0|(?<!\r)\n|\r(?!\n))/.exec(text);
        expect(refusalOf('reject', cut(text, out))?.offset).toBe(bare?.index);
        const convert = /(?:\0|\r(?!\n))/.exec(text);
        expect(refusalOf('convert', cut(text, out))?.offset).toBe(convert?.index);
      }),
      { numRuns: 1000 },
    );
  });

  const ends = [
    '\n',
    '\r',
    '\n\n',
    '\r\r',
    '\n\r',
    '\r\r\n',
    '\n\r\n',
    '\0\r\n',
    '\r\0\n',
    '\r\n\0',
    '\r\n\n',
    '\r\n',
  ];
  const forms = ends.flatMap((before) => ends.map((after) => `${before}.${after}`));

  it.each(forms.map((form) => [JSON.stringify(form), form]))('does not go out as %s', (_, form) => {
    const text = `a${form}MAIL FROM:<b@c.example>\r\n`;
    const converted = text.replace(/(?<!\r)\n/g, '\r\n');
    for (let at = 0; at <= form.length + 2; at++) {
      const chunks = [text.slice(0, at), text.slice(at)];
      expect(refusalOf('reject', chunks) === undefined).toBe(form === '\r\n.\r\n');
      if (refusalOf('convert', chunks) !== undefined) {
        expect(text).toMatch(/\0|\r(?!\n)/);
        continue;
      }
      expect(decode([encode('convert', chunks)])).toEqual({ data: converted, ended: true, left: '' });
    }
  });
});
