import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, wrapped } from './wrapping.js';

const columns = (row: string) =>
  Array.from(row).reduce((sum, each) => sum + columnsOf(each.codePointAt(0) ?? 0), 0);

describe('text in rows', () => {
  it.each([
    ['', ['']],
    ['one two', ['one two']],
    ['one two three', ['one two', '   three']],
    ['   0123456789', ['   0123456', '   789']],
    ['0123456789 a', ['0123456789', '   a']],
    ['01234567890123456789', ['0123456789', '   0123456', '   789']],
    ['a         b', ['a        ', '   b']],
  ])('of %j', (text, rows) => {
    expect(wrapped(text, 10)).toEqual(rows);
  });

  it('knows letters that take two columns, and marks that take none', () => {
    expect(wrapped('漢字漢字漢字', 10)).toEqual(['漢字漢字漢', '   字']);
    expect(wrapped('e\u0301'.repeat(12), 10)).toEqual(['e\u0301'.repeat(10), `   ${'e\u0301'.repeat(2)}`]);
    expect(wrapped('😀'.repeat(6), 10)).toEqual(['😀'.repeat(5), '   😀']);
  });

  it('has no row that is too long, and loses nothing but blanks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        const rows = wrapped(text, 20);
        for (const row of rows) expect(columns(row)).toBeLessThanOrEqual(20);
        const without = (each: string) => each.replaceAll(' ', '');
        expect(without(rows.join(''))).toBe(without(text));
      }),
    );
  });

  it('takes no more time for a letter of a long text than for one of a short text', () => {
    expect(wrapped('x'.repeat(3_000_000), 65)).toHaveLength(Math.ceil((3_000_000 - 65) / 62) + 1);
  });
});
