import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatenate, copyOctets, decodeText, encodeText, indexOfControl, wordsIn } from './octets.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeByPlatform(octets: Uint8Array): string | undefined {
  try {
    return decoder.decode(octets);
  } catch {
    return undefined;
  }
}

/** Text of all planes, with surrogates that lack their partner. */
const character = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0, max: 0x10ffff }),
  fc.constantFrom(0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff, 0x10000),
);
const text = fc.oneof(
  fc.string(),
  fc.array(character).map((codePoints) => String.fromCodePoint(...codePoints)),
);

/** Octets near every border of the table of well-formed UTF-8 (RFC 3629 §4). */
const borderOctet = fc.constantFrom(
  ...[0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec],
  ...[0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfe, 0xff],
);

describe('encodeText', () => {
  it('agrees with TextEncoder on any string, lone surrogates included', () => {
    fc.assert(
      fc.property(text, (any) => {
        expect(encodeText(any)).toEqual(encoder.encode(any));
      }),
      { numRuns: 500 },
    );
  });

  it('replaces a surrogate without its partner by U+FFFD', () => {
    expect(encodeText('a\ud800b')).toEqual(Uint8Array.of(0x61, 0xef, 0xbf, 0xbd, 0x62));
  });
});

describe('decodeText', () => {
  it('undoes encodeText', () => {
    fc.assert(
      fc.property(text, (any) => {
        expect(decodeText(encodeText(any))).toBe(Buffer.from(any).toString());
      }),
    );
  });

  it('agrees with a fatal TextDecoder on any octets', () => {
    const octets = fc.oneof(
      fc.uint8Array(),
      fc.array(borderOctet, { maxLength: 24 }).map((values) => Uint8Array.from(values)),
    );
    fc.assert(
      fc.property(octets, (any) => {
        expect(decodeText(any)).toBe(decodeByPlatform(any));
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with a fatal TextDecoder behind every lead octet', () => {
    const borders = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    for (let lead = 0xbf; lead < 256; lead++) {
      for (let second = 0; second < 256; second++) {
        const pair = Uint8Array.of(lead, second);
        if (decodeText(pair) !== decodeByPlatform(pair)) expect.fail(`differs on ${pair}`);
      }
      for (const second of borders) {
        for (const third of borders) {
          for (const octets of [
            [lead, second, third],
            ...borders.map((fourth) => [lead, second, third, fourth]),
          ]) {
            const sequence = Uint8Array.from(octets);
            if (decodeText(sequence) !== decodeByPlatform(sequence)) expect.fail(`differs on ${sequence}`);
          }
        }
      }
    }
  });

  it.each([
    ['an overlong solidus in two octets', [0xc0, 0xaf]],
    ['an overlong solidus in three octets', [0xe0, 0x80, 0xaf]],
    ['an overlong U+FFFF in four octets', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['U+110000', [0xf4, 0x90, 0x80, 0x80]],
    ['a sequence cut short', [0x41, 0xe2, 0x82]],
    ['a continuation octet alone', [0x80]],
    ['an octet that UTF-8 never uses', [0xff]],
  ])('takes %s for no text (RFC 3629 §3)', (_, octets) => {
    expect(decodeText(Uint8Array.from(octets))).toBeUndefined();
  });

  it('keeps a byte order mark', () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA');
  });

  it('takes long text', () => {
    const text = 'x'.repeat(300_000);
    expect(decodeText(encodeText(text))).toBe(text);
    expect(decodeText(encodeText(`${text}é`))).toBe(`${text}é`);
  });
});

describe('concatenate', () => {
  it('joins the parts in order', () => {
    expect(concatenate([])).toEqual(Uint8Array.of());
    expect(concatenate([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)])).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(concatenate([Uint8Array.of(1), Uint8Array.of(2)], 2)).toEqual(Uint8Array.of(1, 2));
  });
});

describe('indexOfControl', () => {
  it('finds the first octet up to and including CR, wherever the octets lie in their buffer', () => {
    const octet = fc.oneof(
      { weight: 30, arbitrary: fc.integer({ min: 0x0e, max: 0xff }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x0e }) },
    );
    const octets = fc.array(octet, { maxLength: 400, size: 'max' }).map((values) => Uint8Array.from(values));
    fc.assert(
      fc.property(octets, fc.nat({ max: 7 }), fc.nat({ max: 400 }), (whole, begin, start) => {
        const view = whole.subarray(begin);
        const from = Math.min(start, view.length);
        const found = view.findIndex((value, index) => index >= from && value <= 0x0d);
        expect(indexOfControl(view, wordsIn(view), from)).toBe(found === -1 ? view.length : found);
      }),
      { numRuns: 1000 },
    );
  });

  it('tells each octet from its neighbours in the same word', () => {
    for (let value = 0; value < 256; value++) {
      for (let position = 128; position < 132; position++) {
        const octets = new Uint8Array(160).fill(0x0e);
        octets[position] = value;
        expect(indexOfControl(octets, wordsIn(octets), 3)).toBe(value <= 0x0d ? position : 160);
      }
    }
  });
});

describe('copyOctets', () => {
  it.each([0, 1, 63, 64, 200])('copies %i octets, no more, and returns where they end', (count) => {
    const source = Uint8Array.from({ length: 210 }, (_, index) => index + 1);
    const target = new Uint8Array(210);
    expect(copyOctets(source, 5, 5 + count, target, 7)).toBe(7 + count);
    const expected = new Uint8Array(210);
    for (let i = 0; i < count; i++) expected[7 + i] = 6 + i;
    expect(target).toEqual(expected);
  });
});
