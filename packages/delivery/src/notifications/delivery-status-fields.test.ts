import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { field, fold, plainText, typedAddress } from './delivery-status-fields.js';

describe('a field', () => {
  it('has no line end of its value', () => {
    expect(field('A', 'b\r\nC: d', false)).toBe('A: b??C: d\r\n');
  });

  it('has no control character or line separator, and with UTF-8 allowed no half character', () => {
    const text = '\0\t\u007f\u0085\u2028\u2029\ud800ü𝄞';
    expect(plainText(text, true)).toBe('???????ü𝄞');
    expect(plainText(text, false)).toBe('?????????');
  });
});

describe('folding', () => {
  const text = fc
    .array(fc.oneof(fc.stringMatching(/^[!-~ü]{1,100}$/), fc.stringMatching(/^ {1,90}$/)), { minLength: 1 })
    .map((words) => words.join(' ').trim())
    .filter((text) => text !== '' && text.split(' ').every((word) => word.length <= 400));

  it('is undone by taking the line ends out (RFC 5322 §2.2.3)', () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(fold(text).replaceAll('\r\n', '')).toBe(text);
      }),
    );
  });

  it('makes no line longer than 76 octets that has a place to break, and none of spaces alone', () => {
    fc.assert(
      fc.property(text, (text) => {
        for (const line of fold(text).split('\r\n')) {
          expect(line).toMatch(/\S/);
          if (/\S \S/.test(line)) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(76);
        }
      }),
    );
  });

  it('breaks words of over 900 octets, between characters', () => {
    expect(fold('x'.repeat(900))).toBe('x'.repeat(900));
    expect(fold('x'.repeat(901))).toBe(`${'x'.repeat(900)}\r\n x`);
    expect(fold('ü'.repeat(451))).toBe(`${'ü'.repeat(450)}\r\n ü`);
  });
});

describe('an address with its type', () => {
  it.each([
    ['rfc822', 'ann@example.net', 'rfc822; ann@example.net'],
    ['RFC822', 'ann@example.net', 'rfc822; ann@example.net'],
    ['x;y z\u00fc', 'a', 'x?y?z?; a'],
    ['x400', 'a;b', 'x400; a;b'],
    ['utf-8', 'a+b', 'utf-8; a\\x{2B}b'],
    ['rfc822', 'ü\u0001\ud800@x', 'utf-8; ü\\x{01}\ufffd@x'],
  ])('of the type %s: %j', (type, address, expected) => {
    expect(typedAddress(type, address, true)).toBe(expected);
  });

  it('is in ASCII where UTF-8 is not allowed (RFC 6533 §3)', () => {
    expect(typedAddress('utf-8', 'ü中𝄞@x', false)).toBe('utf-8; \\x{FC}\\x{4E2D}\\x{1D11E}@x');
  });
});
