import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatenate } from '../../wire/octets.js';
import { ChunkGathering } from './chunk-gathering.js';

const CHUNK = 65_536;

/** Octets of which each says where it stands. */
const message = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

function chunksOf(pieces: readonly Uint8Array[]): Uint8Array[] {
  const gathering = new ChunkGathering();
  const chunks = pieces.flatMap((piece) => gathering.add(piece) ?? []);
  return [...chunks, gathering.end(new Uint8Array())];
}

describe('the gathering of chunks', () => {
  it('makes one of 3,000 pieces of an octet', () => {
    const pieces = Array.from(message(3000), (octet) => Uint8Array.of(octet));
    expect(chunksOf(pieces)).toEqual([message(3000)]);
  });

  it('holds the newest octets back: what is exactly a chunk may be the last', () => {
    const gathering = new ChunkGathering();
    expect(gathering.add(message(CHUNK))).toBeUndefined();
    expect(gathering.add(Uint8Array.of(7))).toEqual(message(CHUNK));
    expect(gathering.end(Uint8Array.of(13, 10))).toEqual(Uint8Array.of(7, 13, 10));
  });

  it('copies nothing of a piece that is a message by itself', () => {
    const piece = message(100);
    expect(chunksOf([piece])[0]?.buffer).toBe(piece.buffer);
    expect(piece).toEqual(message(100));
  });

  it('leaves the pieces as they are, and each octet in its place', () => {
    const lengths = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 200_000 })),
      {
        minLength: 1,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(lengths, (each) => {
        const whole = message(each.reduce((sum, length) => sum + length, 0));
        const begins = each.map((_, index) => each.slice(0, index).reduce((sum, length) => sum + length, 0));
        const pieces = each.map((length, index) => whole.slice(begins[index], (begins[index] ?? 0) + length));
        const copies = pieces.map((piece) => piece.slice());
        const chunks = chunksOf(pieces);
        expect(Buffer.compare(concatenate(chunks), whole)).toBe(0);
        expect(pieces.every((piece, index) => Buffer.compare(piece, copies[index] as Uint8Array) === 0)).toBe(
          true,
        );
        const last = chunks.pop();
        expect(chunks.every(({ length }) => length > 0 && length % CHUNK === 0)).toBe(true);
        expect(last?.length).toBeGreaterThan(0);
        expect(last?.length).toBeLessThanOrEqual(CHUNK);
      }),
      { numRuns: 60 },
    );
  });
});
