import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BareNewline } from '../inbound.js';
import { encodeText } from '../octets.js';
import { MailDataDecoder } from './mail-data-decoder.js';
import { TextScanner } from './text-scanner.js';

const strict = { bareNewline: 'reject', maximumLineLength: 10 } as const;

function scanned(
  chunks: readonly Uint8Array[],
  options: ConstructorParameters<typeof TextScanner>[0] = strict,
) {
  const scanner = new TextScanner(options);
  const data = chunks.flatMap((chunk) => [...scanner.scan(chunk)]);
  scanner.end();
  return { text: String.fromCharCode(...data), flaw: scanner.flaw };
}
const flawOf = (...given: Parameters<typeof scanned>) => scanned(...given).flaw;

describe('the text of a chunk', () => {
  it.each(['', 'one\r\ntwo\r\n', 'no end', '.\r\n..\r\n', '\r\n\r\n', '12345678\r\n', '123456789'])(
    'is well-formed, and handed on as it is: %j',
    (text) => {
      const octets = encodeText(text);
      expect(flawOf([octets])).toBeUndefined();
      for (const bareNewline of ['reject', 'normalize', 'keep'] as const) {
        expect(new TextScanner({ ...strict, bareNewline }).scan(octets)).toBe(octets);
      }
    },
  );

  it.each([
    ['a\rb', 'bareCarriageReturn', 1],
    ['a\nb', 'bareLineFeed', 1],
    ['\n', 'bareLineFeed', 1],
    ['\r\na\0b', 'nul', 2],
    ['a\r', 'bareCarriageReturn', 1],
    ['a\r\r\n', 'bareCarriageReturn', 1],
    ['\r\0', 'bareCarriageReturn', 1],
  ] as const)(
    'with a bare CR, bare LF or NUL is flawed, unless they are to be kept: %j',
    (text, kind, line) => {
      expect(flawOf([encodeText(text)])).toEqual({ kind, line });
      expect(scanned([encodeText(text)], { ...strict, bareNewline: 'keep' })).toEqual({
        text,
        flaw: undefined,
      });
    },
  );

  it('has CRLF for each bare LF where they are to be normalized, and other flaws all the same', () => {
    const normalize = { ...strict, bareNewline: 'normalize' } as const;
    expect(scanned([encodeText('a\nb\r\n\n.\n')], normalize)).toEqual({
      text: 'a\r\nb\r\n\r\n.\r\n',
      flaw: undefined,
    });
    expect(flawOf([encodeText('a\nb\rc')], normalize)).toEqual({ kind: 'bareCarriageReturn', line: 2 });
    expect(flawOf([encodeText('a\n\0')], normalize)).toEqual({ kind: 'nul', line: 2 });
    expect(flawOf([encodeText('12345678\n123456789\n')], normalize)).toEqual({
      kind: 'lineTooLong',
      line: 2,
    });
  });

  it.each([
    ['123456789\r\n', 1],
    ['1234567890', 1],
    ['ok\r\n12345678901\r\n', 2],
  ])('with a line over the limit is flawed: %j (RFC 5321 §4.5.3.1.6)', (text, line) =>
    expect(flawOf([encodeText(text)])).toEqual({ kind: 'lineTooLong', line }),
  );

  const octets = fc
    .array(fc.constantFrom('a', '.', '\r\n', '\r', '\n', '\0', 'abcdefg', 'é'), { maxLength: 30 })
    .map((parts) => encodeText(parts.join('')));

  const modes = fc.constantFrom<BareNewline>('reject', 'normalize', 'keep');

  it('is the same however it is cut', () => {
    fc.assert(
      fc.property(octets, fc.array(fc.nat(7), { minLength: 1 }), modes, (text, sizes, bareNewline) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = (sizes[i % sizes.length] as number) + 1;
          chunks.push(text.subarray(at, at + size));
          at += size;
        }
        const options = { ...strict, bareNewline };
        expect(scanned(chunks, options)).toEqual(scanned([text], options));
      }),
    );
  });

  it('comes to what it would come to after DATA, once its lines have ended', () => {
    fc.assert(
      fc.property(octets, modes, (text, bareNewline) => {
        const options = { ...strict, bareNewline };
        const lines = Uint8Array.of(...text, 0x0d, 0x0a);
        const decoder = new MailDataDecoder(options);
        // A line that begins with a dot has another length there.
        fc.pre(!/(^|\n)\./.test(String.fromCharCode(...lines)));
        const { data } = decoder.decode(lines);
        expect(scanned([lines], options)).toEqual({ text: String.fromCharCode(...data), flaw: decoder.flaw });
      }),
    );
  });
});
