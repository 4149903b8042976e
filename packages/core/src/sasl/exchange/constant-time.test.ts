import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalInConstantTime } from './constant-time.js';

describe('equalInConstantTime', () => {
  it('tells the same octets from others, wherever they differ', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.nat(), (one, place, bit) => {
        const other = Uint8Array.from(one);
        expect(equalInConstantTime(one, other)).toBe(true);
        const index = place % one.length;
        other[index] = (one[index] ?? 0) ^ (1 << (bit % 8));
        expect(equalInConstantTime(one, other)).toBe(false);
      }),
    );
  });

  it('finds octets and their beginning different', () => {
    expect(equalInConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equalInConstantTime(Uint8Array.of(), Uint8Array.of(0))).toBe(false);
  });
});
