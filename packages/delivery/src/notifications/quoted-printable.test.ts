import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotedPrintable } from './quoted-printable.js';

/** By the rules, written the other way round (RFC 2045 §6.7). */
function decoded(text: string): Buffer {
  const joined = text.replaceAll('=\r\n', '');
  const octets = joined.replace(/=([\dA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(octets, 'latin1');
}

describe('quoted-printable', () => {
  it('leaves text as it is, and writes other octets by their digits', () => {
    expect(quotedPrintable(Buffer.from('a = b\tc ü\r\n'))).toBe('a =3D b\tc =C3=BC\r\n');
  });

  it('leaves no blank at the end of a line', () => {
    expect(quotedPrintable(Buffer.from('a \r\nb\t\r\nc '))).toBe('a=20\r\nb=09\r\nc=20');
  });

  it('has lines of 76 characters at most, and says the same', () => {
    const line = fc
      .uint8Array({ maxLength: 200 })
      .map((octets) => octets.filter((octet) => octet !== 13 && octet !== 10));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        const octets = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\r\n')]));
        const text = quotedPrintable(octets);
        expect(text).toMatch(/^[\t\r\n -~]*$/);
        for (const each of text.split('\r\n')) expect(each.length).toBeLessThanOrEqual(76);
        expect(decoded(text)).toEqual(octets);
      }),
    );
  });
});
