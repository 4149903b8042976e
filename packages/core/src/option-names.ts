/**
 * Names of options and handlers: one that is not known is refused, with the name that was probably meant. A misspelt
 * option is otherwise an option that silently does nothing, which TypeScript cannot see in JavaScript.
 */

/** The names of all properties of a type of options: the compiler holds the list to be complete. */
export function namesOf<Options>(names: Readonly<Record<keyof Options & string, true>>): readonly string[] {
  return Object.keys(names);
}

/**
 * Checks that an object has none but known properties.
 * @param what the object, as the error calls it: `The option`, `The handler`
 * @param given checked unless it is undefined
 * @param known the names that it may have
 * @param where stands before each name, as in `timeouts.`
 * @throws {TypeError} it is no object, or a name is not known: the message suggests the nearest one, or lists all
 */
export function checkNames(
  what: string,
  given: object | undefined,
  known: readonly string[],
  where = '',
): void {
  if (given === undefined) return;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw noObject(what, given, known, where);
  }
  for (const name in given) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const help = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean ${where}${nearest}?`;
    throw new TypeError(`${what} ${where}${name} is not known: ${help}`);
  }
}

/**
 * Checks an object that has to be there, like `checkNames`.
 * @throws {TypeError} likewise, and when it is undefined
 */
export function checkObject(what: string, given: object, known: readonly string[], where = ''): void {
  if (given === undefined) throw noObject(what, given, known, where);
  checkNames(what, given, known, where);
}

function noObject(what: string, given: unknown, known: readonly string[], where: string): TypeError {
  const shown =
    given === undefined
      ? 'missing'
      : Array.isArray(given)
        ? 'a list'
        : typeof given === 'string'
          ? JSON.stringify(given)
          : String(given);
  // `The property of a retry schedule`: it is the schedule that is missing.
  const whole = what.replace(/^The property of an? /, 'The ');
  const all = whole === what ? `${what}s are` : `${whole} is`;
  const subject = where === '' ? all : `${what} ${where.replace(/\.$/, '')} is`;
  const names = known.length > 4 ? [...known.slice(0, 4), '…'] : known;
  return new TypeError(`${subject} ${shown}; give an object: { ${names.join(', ')} }`);
}

/**
 * The known name that somebody most probably meant: the same letters in another case, nearly the same ones, or more.
 * Undefined where none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let nearest: string | undefined;
  let least = 1 + Math.floor(Math.min(lower.length, 24) / 3);
  for (const each of known) {
    const distance = editDistance(lower, each.toLowerCase(), least);
    if (distance < least) {
      nearest = each;
      least = distance;
    }
  }
  return nearest ?? known.find((each) => lower.length > 3 && each.toLowerCase().startsWith(lower));
}

/** Letters to insert, drop, replace or swap with their neighbour, counted up to `bound`. */
function editDistance(one: string, other: string, bound: number): number {
  if (Math.abs(one.length - other.length) >= bound) return bound;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1;
      let cost = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + differs);
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, other.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
