/**
 * Comparing what an attacker must not guess octet by octet: the time taken tells nothing of where two digests
 * differ. Lengths are no secret.
 */
export function equalInConstantTime(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= (one[i] as number) ^ (other[i] as number);
  return difference === 0;
}
