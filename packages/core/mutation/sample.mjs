/** Which mutants are measured: a share of them, the same ones each time. What a smaller share holds, a larger one does too. */
import { createHash } from 'node:crypto';

/** @param {{ line: number, column: number }} start counted from 1, as in a report */
export function isInSample(file, start, replacement, share) {
  const name = file.split('/src/').at(-1);
  const digest = createHash('sha256').update(`${name}:${start.line}:${start.column}:${replacement}`).digest();
  return digest.readUInt32BE(0) < share * 2 ** 32;
}
