/**
 * Checks of options. Each takes an option's name and value, and throws a RangeError where it is outside of the option's
 * range: a NaN compares false with everything, and a limit would never be reached.
 */

/**
 * A limit that counts connections or octets.
 * @throws {RangeError} it is not an integer of `least` or more
 */
export function checkCount(option: string, value: number, least = 1): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw outOfRange(option, value, `an integer of ${least} or more`);
  }
}

/**
 * Milliseconds; `Infinity` for no limit.
 * @throws {RangeError} it is not a number of 0 or more
 */
export function checkTime(option: string, value: number): void {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw outOfRange(option, value, 'milliseconds of 0 or more, or Infinity for no limit');
  }
}

/**
 * A name or an address.
 * @throws {RangeError} it is empty, or no text
 */
export function checkNotEmpty(option: string, value: string): void {
  if (typeof value !== 'string' || value === '') throw outOfRange(option, value, 'a text that is not empty');
}

/**
 * A TCP port.
 * @throws {RangeError} it is not an integer of `least` to 65535; a text is none
 */
export function checkPort(option: string, value: number, least = 0): void {
  if (Number.isSafeInteger(value) && value >= least && value <= 65_535) return;
  throw outOfRange(option, value, `an integer of ${least} to 65535`);
}

/**
 * One of some words.
 * @throws {RangeError} it is none of them
 */
export function checkWord(option: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  throw outOfRange(option, value, words.map((word) => `'${word}'`).join(' or '));
}

/**
 * Yes or no.
 * @throws {RangeError} it is neither; the text 'false', as the environment has it, would count as true
 */
export function checkFlag(option: string, value: boolean): void {
  if (typeof value !== 'boolean') throw outOfRange(option, value, 'true or false');
}

/** The names of all properties that any member of a union of options has. */
export type AnyOf<Options> = { readonly [Name in Options extends unknown ? keyof Options : never]: unknown };

function outOfRange(option: string, value: unknown, allowed: string): RangeError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new RangeError(`The option ${option} is ${shown}; it takes ${allowed}`);
}
