import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.js';

const OCTETS = fc.uint8Array({ maxLength: 50 });
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

describe('encodeBase64', () => {
  it("agrees with Node's on any octets", () => {
    fc.assert(
      fc.property(OCTETS, (octets) => {
        expect(encodeBase64(octets)).toBe(Buffer.from(octets).toString('base64'));
      }),
    );
  });

  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('writes %j as %j (RFC 4648 §10)', (plain, encoded) => {
    expect(encodeBase64(new Uint8Array(Buffer.from(plain)))).toBe(encoded);
  });
});

describe('decodeBase64', () => {
  it('undoes encodeBase64', () => {
    fc.assert(
      fc.property(OCTETS, (octets) => {
        expect(decodeBase64(encodeBase64(octets))).toEqual(octets);
      }),
    );
  });

  it('decodes a text exactly if encodeBase64 would write it so', () => {
    const near = fc
      .array(fc.constantFrom(...`${ALPHABET}====== \r\n\t-_,\u00e9\u0141`), { maxLength: 12 })
      .map((characters) => characters.join(''));
    fc.assert(
      fc.property(near, (text) => {
        const octets = decodeBase64(text);
        const canonical = Buffer.from(text, 'base64').toString('base64') === text;
        expect(octets !== undefined).toBe(canonical);
        if (octets !== undefined) expect(encodeBase64(octets)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it('decodes every last digit before padding exactly if its spare bits are zero (RFC 4648 §3.5)', () => {
    for (const [value, digit] of [...ALPHABET].entries()) {
      expect(decodeBase64(`A${digit}==`) !== undefined).toBe(value % 16 === 0);
      expect(decodeBase64(`AA${digit}=`) !== undefined).toBe(value % 4 === 0);
    }
  });

  it.each([
    ['no padding', 'Zg'],
    ['too little padding', 'Zg='],
    ['too much padding', 'Zm9v===='],
    ['padding alone', '===='],
    ['three of padding', 'Z==='],
    ['padding within', 'Zg==Zg=='],
    ['white space', 'Zm9v Zm9'],
    ['a line break at the end', 'Zm9\n'],
    ['the URL alphabet', 'Zm-_'],
    ['a character beyond ASCII', 'Zm9\u00e9'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
