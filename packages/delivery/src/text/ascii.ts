/** By code units: `\p{ASCII}` would have to look at code points, and takes longer. */
const NON_ASCII = /[\u0080-\uffff]/;

export function isAscii(text: string): boolean {
  return !NON_ASCII.test(text);
}
