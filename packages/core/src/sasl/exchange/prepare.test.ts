import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { saslPrepare } from './prepare.js';

const TEXT = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(
      fc.constantFrom(
        'a',
        ' ',
        '\u00a0',
        '\u200b',
        '\u00ad',
        '\u05d0',
        '1',
        '\ufb01',
        '\u00aa',
        '\u0301',
        '\u0627',
      ),
    )
    .map((characters) => characters.join('')),
);

describe('SASLprep', () => {
  it.each([
    ['maps the soft hyphen to nothing', 'I\u00adX', 'IX'],
    ['leaves ASCII', 'user', 'user'],
    ['keeps the case', 'USER', 'USER'],
    ['normalizes by NFKC', '\u00aa', 'a'],
    ['normalizes by NFKC to more than one letter', '\u2168', 'IX'],
    ['prohibits control characters', '\u0007', undefined],
    ['checks the direction', '\u0627\u0031', undefined],
  ])('%s (RFC 4013 §3)', (_, text, prepared) => {
    expect(saslPrepare(text, 'stored')).toBe(prepared);
    expect(saslPrepare(text, 'query')).toBe(prepared);
  });

  it('maps spaces beyond ASCII to a space (RFC 4013 §2.1)', () => {
    for (const space of '\u00a0\u1680\u2000\u2005\u200b\u202f\u205f\u3000') {
      expect(saslPrepare(`a${space}b`, 'stored')).toBe('a b');
    }
  });

  it('maps to nothing what is commonly mapped to nothing (RFC 4013 §2.1)', () => {
    for (const nothing of '\u00ad\u034f\u1806\u180b\u180d\u200c\u200d\u2060\ufe00\ufe0f\ufeff') {
      expect(saslPrepare(`a${nothing}b`, 'stored')).toBe('ab');
    }
    expect(saslPrepare('\u00ad', 'stored')).toBe('');
  });

  it.each([
    ['NUL', '\0'],
    ['DEL', '\x7f'],
    ['a C1 control', '\u0085'],
    ['the line separator', '\u2028'],
    ['a private use character', '\ue000'],
    ['a private use character beyond the BMP', '\u{10fffd}'],
    ['a non-character', '\ufffe'],
    ['a non-character beyond the BMP', '\u{1ffff}'],
    ['a surrogate without its partner', '\ud800'],
    ['the replacement character', '\ufffd'],
    ['an ideographic description character', '\u2ff0'],
    ['the left-to-right mark', '\u200e'],
    ['a deprecated format character', '\u206a'],
    ['a tag', '\u{e0041}'],
  ])('prohibits %s (RFC 4013 §2.3)', (_, prohibited) => {
    expect(saslPrepare(`a${prohibited}b`, 'stored')).toBeUndefined();
    expect(saslPrepare(`a${prohibited}b`, 'query')).toBeUndefined();
  });

  it('prohibits an unassigned character in what is stored only (RFC 4013 §2.5)', () => {
    expect(saslPrepare('a\u0378', 'stored')).toBeUndefined();
    expect(saslPrepare('a\u0378', 'query')).toBe('a\u0378');
  });

  it.each([
    ['Hebrew alone', '\u05d0\u05d1', true],
    ['Hebrew around digits', '\u05d01\u05d1', true],
    ['Arabic before a digit', '\u06271', false],
    ['a digit before Arabic', '1\u0627', false],
    ['Latin within Hebrew', '\u05d0a\u05d1', false],
    ['Hebrew behind Latin', 'a\u05d0', false],
    ['Latin with a combining mark', 'a\u0323\u0301', true],
  ])('on direction: %s (RFC 3454 §6)', (_, text, allowed) => {
    expect(saslPrepare(text, 'stored') !== undefined).toBe(allowed);
  });

  it('changes nothing more the second time', () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const prepared = saslPrepare(text, 'query');
        if (prepared !== undefined) expect(saslPrepare(prepared, 'query')).toBe(prepared);
      }),
      { numRuns: 1000 },
    );
  });

  it('allows nothing as stored that it would not have in a query, and the same', () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const prepared = saslPrepare(text, 'stored');
        if (prepared !== undefined) expect(saslPrepare(text, 'query')).toBe(prepared);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves printable ASCII as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(saslPrepare(text, 'stored')).toBe(text);
      }),
    );
  });
});
