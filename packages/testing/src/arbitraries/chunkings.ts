/** Where TCP might cut octets: every receiver has to do the same with each of these (RFC 5321 knows no packets). */
import * as fc from 'fast-check';
import { printedAs } from './printing.js';

/** A way to cut octets into chunks. */
export interface Chunking {
  /** Octets of each chunk; the last size repeats. */
  readonly sizes: readonly number[];
  cut(octets: Uint8Array): Uint8Array[];
}

/** Biased to single octets, and to sizes that cut a CRLF or a final dot. It shrinks towards one chunk. */
export function chunking(): fc.Arbitrary<Chunking> {
  const whole = Number.MAX_SAFE_INTEGER;
  const size = fc.oneof(
    { weight: 1, arbitrary: fc.constant(whole) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 80 }) },
    { weight: 1, arbitrary: fc.integer({ min: 500, max: 70_000 }) },
  );
  return fc.array(size, { minLength: 1, maxLength: 12 }).map((sizes) =>
    printedAs({ sizes, cut: (octets: Uint8Array) => cut(octets, sizes) }, () => {
      const words = sizes.map((each) => (each === whole ? 'the rest' : each));
      return `chunks of ${words.join(', ')}${sizes.at(-1) === whole ? '' : ', and so on'}`;
    }),
  );
}

function cut(octets: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < octets.length; ) {
    const size = sizes[Math.min(chunks.length, sizes.length - 1)] ?? 1;
    chunks.push(octets.slice(start, start + size));
    start += size;
  }
  return chunks;
}
