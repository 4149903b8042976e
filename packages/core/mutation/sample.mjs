/**
 * Which mutants are measured: a share of them, the same ones each time. What a smaller share holds, a larger one does too.
 * A sample that begins where another ends has none of its mutants.
 */
import { createHash } from 'node:crypto';

/** How the reason begins for which a mutant was found where no test could be loaded. */
export const NOT_LOADED = 'not loaded';

/**
 * @param {{ line: number, column: number }} start counted from 1, as in a report
 * @param {{ from: number, share: number }} sample both from 0 to 1
 */
export function isInSample(file, start, replacement, { from, share }) {
  const name = file.split('/src/').at(-1);
  const digest = createHash('sha256').update(`${name}:${start.line}:${start.column}:${replacement}`).digest();
  const place = digest.readUInt32BE(0) / 2 ** 32;
  return place >= from && place < from + share;
}
