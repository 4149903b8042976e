import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAsciiDomain, toUnicodeDomain } from './internationalized-domain.js';

function ascii(domain: string): string | undefined {
  const conversion = toAsciiDomain(domain);
  return conversion.kind === 'domain' ? conversion.domain : undefined;
}

function unicode(domain: string): string | undefined {
  const conversion = toUnicodeDomain(domain);
  return conversion.kind === 'domain' ? conversion.domain : undefined;
}

describe('a domain in ASCII', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['localhost', 'localhost'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.bücher', 'xn--bcher-kva.xn--bcher-kva'],
    ['ab--cd.example', 'ab--cd.example'],
    // No host names of STD 3, but names in DNS, and in use.
    ['A_b.example', 'a_b.example'],
    ['a_b.bücher', 'a_b.xn--bcher-kva'],
    // The dot that ends a fully qualified domain says nothing more.
    ['example.com.', 'example.com'],
    ['bücher.example.', 'xn--bcher-kva.example'],
  ])('is for %s %s', (domain, expected) => {
    expect(ascii(domain)).toBe(expected);
  });

  it('keeps sharp s and final sigma apart: no transitional processing (UTS #46 §4)', () => {
    expect(ascii('faß.example')).toBe('xn--fa-hia.example');
    expect(ascii('βόλος.example')).toBe('xn--nxasmm1c.example');
  });

  it.each([
    ['', 'nothing'],
    ['.', 'no label'],
    ['example..com', 'an empty label'],
    ['example.com..', 'an empty label at the end'],
    ['a/b.bücher', 'a slash beside a U-label'],
    ['-a.bücher', 'a hyphen at the start'],
    ['a-.example', 'a hyphen at the end'],
    ['ab--ü.example', 'hyphens in third and fourth place of a U-label (RFC 5891 §4.2.3.1)'],
    ['xn--.example', 'an A-label of nothing'],
    ['xn--a.example', 'an A-label of what needs none'],
    ['xn--ls8h=.example', 'malformed Punycode'],
    ['\u0308a.example', 'a combining mark at the start'],
    ['a\u200db.example', 'a joiner where none may stand (RFC 5892 Appendix A)'],
    ['א1a.example', 'two directions in one label (RFC 5893)'],
    ['\ud800.example', 'half a character'],
    ['[192.0.2.1]', 'an address literal'],
    ['a b.example', 'a space'],
    ['bücher.example\r\nRCPT', 'a line end'],
    [`${'ü'.repeat(60)}.example`, 'an A-label of over 63 characters'],
    [`ü.${'a.'.repeat(400)}b`, 'a domain of over 253 characters'],
  ])('is none for %j: %s', (domain) => {
    expect(toAsciiDomain(domain)).toMatchObject({
      kind: 'invalid',
      problem: expect.stringMatching(/^The domain/),
    });
  });

  it('has 63 characters in a label and 253 in all at most (RFC 1035 §2.3.4)', () => {
    const label = 'a'.repeat(63);
    const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`;
    expect(ascii(longest)).toBe(longest);
    expect(ascii(`${longest}a`)).toBeUndefined();
    expect(ascii(`${'a'.repeat(64)}.example`)).toBeUndefined();
  });

  it('is ASCII, or the text is refused, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
        for (const domain of [text, `xn--${text}`, `${text}.example`]) {
          expect(ascii(domain) ?? 'a').toMatch(/^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/);
        }
      }),
    );
  });

  it('is its own ASCII form, and that of its Unicode form', () => {
    const label = fc.string({
      unit: fc.constantFrom('a', '9', 'ü', 'ß', '中', 'я', '๐', 'ﬁ'),
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), (labels) => {
        const domain = ascii(labels.join('.'));
        fc.pre(domain !== undefined);
        expect(ascii(domain ?? '')).toBe(domain);
        expect(ascii(unicode(domain ?? '') ?? '')).toBe(domain);
      }),
    );
  });
});

describe('a domain for people', () => {
  it.each([
    ['xn--bcher-kva.example', 'bücher.example'],
    ['BÜCHER.EXAMPLE', 'bücher.example'],
    ['Example.COM', 'example.com'],
    ['xn--fa-hia.example', 'faß.example'],
  ])('is for %s %s', (domain, expected) => {
    expect(unicode(domain)).toBe(expected);
  });

  it('is none where there is no ASCII form', () => {
    expect(toUnicodeDomain('xn--a.example')).toEqual(toAsciiDomain('xn--a.example'));
    expect(unicode('xn--a.example')).toBeUndefined();
  });
});
