/** Mail data with changes: in one copy whatever their number, for a view each would turn a message of dots into millions. */
import { CR, copyOctets } from '../octets.js';

/**
 * What lies between two positions of the chunk, after a CR that was held back, if there is one.
 *
 * @param edits in ascending order: a position whose octet is left out, or the complement (`~`) of one before which a CR is
 *   added
 */
export function edited(
  chunk: Uint8Array,
  begin: number,
  end: number,
  edits: readonly number[],
  startsWithHeld = false,
): Uint8Array {
  let length = end - begin + (startsWithHeld ? 1 : 0);
  for (const edit of edits) length += edit < 0 ? 1 : -1;
  const data = new Uint8Array(length);
  let offset = 0;
  if (startsWithHeld) data[offset++] = CR;
  let copied = begin;
  for (const edit of edits) {
    const position = edit < 0 ? ~edit : edit;
    offset = copyOctets(chunk, copied, position, data, offset);
    if (edit < 0) data[offset++] = CR;
    copied = edit < 0 ? position : position + 1;
  }
  copyOctets(chunk, copied, end, data, offset);
  return data;
}
