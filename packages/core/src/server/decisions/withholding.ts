/**
 * What one client is not offered, though the server has it: the application says so when it accepts EHLO, and it holds
 * until the next one, STARTTLS or XCLIENT. To such a client the server is one that has none of it: nothing of it stands in
 * the reply to EHLO, and what is used all the same is refused (502, 504, 555).
 */
import type { ServiceExtension } from '../../extensions/contract/extension.js';
import { knownExtensions } from '../../extensions/lists.js';
import { checkNames, namesOf, nearestName } from '../../option-names.js';
import { serverMechanisms } from '../../sasl/server-mechanisms.js';

export interface Withheld {
  /** EHLO keywords, in upper case: `STARTTLS`, `SIZE`. Extensions that require one of these are withheld with it. */
  readonly extensions?: readonly string[];
  /** SASL mechanisms, by their names. */
  readonly mechanisms?: readonly string[];
}

/** Both lists, which may be empty. */
export type ResolvedWithheld = Readonly<Required<Withheld>>;

export const NOTHING_WITHHELD: ResolvedWithheld = { extensions: [], mechanisms: [] };

const NAMES = namesOf<Withheld>({ extensions: true, mechanisms: true });

/**
 * A name that nobody knows would withhold nothing, and nobody would notice.
 * @throws {RangeError} a name is neither the server's nor one of ours; the message suggests the nearest one
 * @throws {TypeError} it holds what are no lists of names
 */
export function resolveWithheld(
  withheld: Withheld | undefined,
  extensions: readonly ServiceExtension[],
  mechanisms: readonly { readonly name: string }[],
): ResolvedWithheld {
  if (withheld === undefined) return NOTHING_WITHHELD;
  checkNames('The property', withheld, NAMES, 'withhold.');
  const keywords = [...extensions, ...knownExtensions].map(({ keyword }) => keyword);
  const names = [...mechanisms.map(({ name }) => name), ...serverMechanisms.keys()];
  return {
    extensions: checkEach('withhold.extensions', withheld.extensions ?? [], 'EHLO keyword', keywords),
    mechanisms: checkEach('withhold.mechanisms', withheld.mechanisms ?? [], 'SASL mechanism', names),
  };
}

function checkEach(
  property: string,
  names: readonly string[],
  what: string,
  known: readonly string[],
): readonly string[] {
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    throw new TypeError(`The property ${property} takes a list of names: ['${known[0]}']`);
  }
  for (const name of names) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const help =
      nearest === undefined ? `known are ${[...new Set(known)].join(', ')}` : `did you mean ${nearest}?`;
    throw new RangeError(`${property}: ${JSON.stringify(name)} is no ${what} of this server: ${help}`);
  }
  return names;
}
