/**
 * Checks of options: of both sessions, of service extensions, and of what makes keys. Each takes an option's
 * name and value, gives the value back, and throws a RangeError where it is outside of the option's range: a NaN would
 * compare false with everything, and a limit would never be reached, or be reached all the time.
 */
import { checkNames } from './option-names.js';
import { isName } from './wire/commands/command.js';

/** A number that counts something: octets, commands, seconds. `least` is 2 where a CRLF has to fit in. */
export function checkLimit(
  option: string,
  value: number,
  {
    least = 1,
    most = Number.MAX_SAFE_INTEGER,
    unlimited = false,
  }: { readonly least?: number; readonly most?: number; readonly unlimited?: boolean } = {},
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  if (unlimited && value === Number.POSITIVE_INFINITY) return value;
  throw outOfRange(
    option,
    value,
    `an integer of ${least} ${most === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${most}`}${unlimited ? ', or Infinity for none' : ''}`,
  );
}

/** A list, none of whose places is empty. */
export function checkList<Item>(option: string, list: readonly Item[], items: string): readonly Item[] {
  if (!Array.isArray(list)) throw outOfRange(option, list, `a list of ${items}`);
  const empty = list.findIndex((item) => item === undefined || item === null);
  if (empty >= 0) throw outOfRange(`${option}[${empty}]`, list[empty], `one of the ${items}`);
  return list;
}

/** Milliseconds; `Infinity` for no deadline. */
function checkTimeout(option: string, value: number): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw outOfRange(option, value, 'milliseconds of 0 or more, or Infinity for no deadline');
}

/**
 * The option `timeouts`: what is given, and the defaults of the rest.
 * @throws {TypeError} one is given by a name that is not among the defaults
 */
export function checkTimeouts<Timeouts extends { readonly [Name in keyof Timeouts]: number }>(
  given: Partial<Timeouts>,
  defaults: Timeouts,
): Timeouts {
  const names = Object.keys(defaults) as (keyof Timeouts & string)[];
  checkNames('The option', given, names, 'timeouts.');
  const checked = names.map((name) => [
    name,
    checkTimeout(`timeouts.${name}`, given[name] ?? defaults[name]),
  ]);
  return Object.fromEntries(checked);
}

/** A reading of the caller's clock: with a NaN no deadline would ever come. */
export function checkNow(value: number): number {
  if (Number.isFinite(value)) return value;
  throw outOfRange('now', value, 'milliseconds of a clock');
}

export function checkWord<const Word extends string>(
  option: string,
  value: Word,
  words: readonly Word[],
): Word {
  if (words.includes(value)) return value;
  throw outOfRange(option, value, words.map((word) => `'${word}'`).join(' or '));
}

/** The text 'false', as the environment has it, would count as true. */
export function checkFlag(option: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw outOfRange(option, value, 'true or false');
}

const NONE: ReadonlySet<never> = new Set<never>();

/** All of these kinds, none, or those in a list. */
export function checkKinds<Kind extends string>(
  option: string,
  value: boolean | readonly Kind[],
  kinds: ReadonlySet<Kind>,
): ReadonlySet<Kind> {
  if (typeof value === 'boolean') return value ? kinds : NONE;
  if (Array.isArray(value) && value.every((kind) => kinds.has(kind))) return new Set(value);
  throw outOfRange(option, value, `true, false or a list of ${[...kinds].join(', ')}`);
}

/** The name by which an end introduces itself. Looser than a domain, like what either end takes of its peer. */
export function checkName(option: string, value: string): string {
  if (typeof value === 'string' && isName(value)) return value;
  throw outOfRange(option, value, '1 to 255 printable ASCII characters without spaces (RFC 5321 §4.1.2)');
}

/** The error for an option that is checked where it is taken. */
export function outOfRange(option: string, value: unknown, allowed: string): RangeError {
  const shown = typeof value === 'string' || Array.isArray(value) ? JSON.stringify(value) : String(value);
  return new RangeError(`The option ${option} is ${shown}; it takes ${allowed}`);
}
