import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAXIMUM_CUT_OCTETS, OctetSlab } from './octet-slab.js';

describe('a slab', () => {
  it('gives copies that stay as they are, whatever is cut later', () => {
    const octets = fc.uint8Array({ maxLength: MAXIMUM_CUT_OCTETS / 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(octets, fc.option(octets)), { maxLength: 40 }), (given) => {
        const slab = new OctetSlab();
        const cut = given.map(([first, more]) => slab.copy(first, more ?? undefined));
        const expected = given.map(([first, more]) => [...first, ...(more ?? [])]);
        for (const [first, more] of given) {
          first.fill(0);
          more?.fill(0);
        }
        expect(cut.map((piece) => [...piece])).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is no other connection’s', () => {
    const octets = Uint8Array.of(1, 2, 3);
    expect(new OctetSlab().copy(octets).buffer).not.toBe(new OctetSlab().copy(octets).buffer);
  });
});
