/** The SASL mechanisms that the option of a session lists, at either end: ours by their names, others as values. */
import { checkList, outOfRange } from '../option-checks.js';
import { nearestName } from '../option-names.js';
import type { MechanismName } from './exchange/exchange.js';

const OPTION = 'authentication.mechanisms';

/** What a mechanism is, at either end. */
interface Named {
  readonly name: string;
}

/**
 * @param members what one of the application's own must have besides its name
 * @returns in the order in which they are given
 * @throws {RangeError} a name is not known (the message suggests one), is none (RFC 4422 §3.1), or is listed twice; or
 *   something else than a mechanism is listed
 */
export function resolveMechanisms<Mechanism extends Named>(
  given: readonly (MechanismName | Mechanism)[],
  ours: ReadonlyMap<MechanismName, Mechanism>,
  members: { readonly [Member in Exclude<keyof Mechanism & string, 'name'>]: 'function' | 'boolean' },
): readonly Mechanism[] {
  const mechanisms = checkList<MechanismName | Mechanism>(OPTION, given, 'names of mechanisms').map((each) =>
    typeof each === 'string' ? named(each, ours) : own(each, members),
  );
  const twice = mechanisms.find(
    ({ name }, index) => mechanisms.findIndex((one) => one.name === name) < index,
  );
  if (twice !== undefined) {
    throw new RangeError(`The option ${OPTION} lists ${twice.name} twice; leave one out`);
  }
  return mechanisms;
}

function named<Mechanism>(name: MechanismName, ours: ReadonlyMap<MechanismName, Mechanism>): Mechanism {
  const mechanism = ours.get(name);
  if (mechanism !== undefined) return mechanism;
  const known = [...ours.keys()];
  const nearest = nearestName(name, known);
  const help = nearest === undefined ? '' : `: did you mean '${nearest}'?`;
  throw outOfRange(OPTION, name, `${known.map((each) => `'${each}'`).join(' or ')}${help}`);
}

function own<Mechanism extends Named>(
  mechanism: Mechanism,
  members: { readonly [member: string]: 'function' | 'boolean' },
): Mechanism {
  if (typeof mechanism !== 'object') {
    throw outOfRange(OPTION, mechanism, 'names of mechanisms, and mechanisms');
  }
  const { name } = mechanism;
  if (typeof name !== 'string' || !/^[A-Z0-9_-]{1,20}$/.test(name)) {
    throw outOfRange(
      OPTION,
      name,
      'mechanisms whose names have 1 to 20 of A-Z, 0-9, - and _ (RFC 4422 §3.1)',
    );
  }
  for (const [member, type] of Object.entries(members)) {
    const given = typeof (mechanism as unknown as Record<string, unknown>)[member];
    if (given === type) continue;
    const is = given === 'undefined' ? 'missing' : `a ${given}`;
    throw outOfRange(OPTION, name, `mechanisms with a ${type} ${member}, which is ${is} here`);
  }
  return mechanism;
}
