/** How generated values are printed when a property fails. */
import * as fc from 'fast-check';

/** Octets as in a string of JavaScript: what is printable as it is, the rest escaped. */
export function escaped(octets: Uint8Array): string {
  const text = Array.from(octets, (octet) => {
    if (octet === 0x0d) return '\\r';
    if (octet === 0x0a) return '\\n';
    if (octet === 0x22 || octet === 0x5c) return `\\${String.fromCharCode(octet)}`;
    if (octet >= 0x20 && octet < 0x7f) return String.fromCharCode(octet);
    return `\\x${octet.toString(16).padStart(2, '0')}`;
  });
  return `"${text.join('')}"`;
}

/** The value itself, which fast-check prints as `print` says. */
export function printedAs<Value extends object>(value: Value, print: (value: Value) => string): Value {
  Object.defineProperty(value, fc.toStringMethod, { value: () => print(value), enumerable: false });
  return value;
}
