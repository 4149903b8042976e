import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MailDataDecoder } from './mail-data-decoder.js';
import { encodeText } from './octets.js';
import { TextScanner } from './text-scanner.js';

const strict = { bareNewline: 'reject', maximumLineLength: 10 } as const;

function flawOf(
  chunks: readonly Uint8Array[],
  options: ConstructorParameters<typeof TextScanner>[0] = strict,
) {
  const scanner = new TextScanner(options);
  for (const chunk of chunks) scanner.scan(chunk);
  scanner.end();
  return scanner.flaw;
}

describe('the text of a chunk', () => {
  it.each(['', 'one\r\ntwo\r\n', 'no end', '.\r\n..\r\n', '\r\n\r\n', '12345678\r\n', '123456789'])(
    'is well-formed: %j',
    (text) => expect(flawOf([encodeText(text)])).toBeUndefined(),
  );

  it.each(['a\rb', 'a\nb', '\n', 'a\0b', 'a\r', 'a\r\r\n', '\r\0'])(
    'with a bare CR, bare LF or NUL is flawed, unless they are to be kept: %j (RFC 5321 §2.3.8)',
    (text) => {
      expect(flawOf([encodeText(text)])).toBe('bareNewline');
      expect(flawOf([encodeText(text)], { ...strict, bareNewline: 'keep' })).toBeUndefined();
    },
  );

  it.each(['123456789\r\n', '1234567890', 'ok\r\n12345678901\r\n'])(
    'with a line over the limit is flawed: %j (RFC 5321 §4.5.3.1.6)',
    (text) => expect(flawOf([encodeText(text)])).toBe('lineTooLong'),
  );

  const octets = fc
    .array(fc.constantFrom('a', '.', '\r\n', '\r', '\n', '\0', 'abcdefg', 'é'), { maxLength: 30 })
    .map((parts) => encodeText(parts.join('')));

  it('has the same flaw however it is cut', () => {
    fc.assert(
      fc.property(octets, fc.array(fc.nat(7), { minLength: 1 }), (text, sizes) => {
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = (sizes[i % sizes.length] as number) + 1;
          chunks.push(text.subarray(at, at + size));
          at += size;
        }
        expect(flawOf(chunks)).toBe(flawOf([text]));
      }),
    );
  });

  it('has the flaw that it would have behind DATA, once its lines have ended', () => {
    fc.assert(
      fc.property(octets, fc.constantFrom<'reject' | 'keep'>('reject', 'keep'), (text, bareNewline) => {
        const options = { ...strict, bareNewline };
        const lines = Uint8Array.of(...text, 0x0d, 0x0a);
        const decoder = new MailDataDecoder(options);
        // A line that begins with a dot has another length there.
        fc.pre(!/(^|\r\n)\./.test(String.fromCharCode(...lines)));
        decoder.decode(lines);
        expect(flawOf([lines], options)).toBe(decoder.flaw);
      }),
    );
  });
});
