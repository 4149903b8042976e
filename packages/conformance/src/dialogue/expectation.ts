/**
 * What a case expects of a reply: a set of codes, written as people read it: `'250'`, `'250 or 251'`, `'5yz'`,
 * `'4yz or 5yz'`, `'any'`.
 */

/** A set of reply codes. `5yz` is every code that begins with 5. */
export type Expectation = string;

/** @throws {RangeError} the words are no set of reply codes: the case is mistaken, not the server */
export function matches(expectation: Expectation, code: number): boolean {
  return expectation.split(' or ').some((each) => {
    if (each === 'any') return true;
    if (/^[2-5]yz$/.test(each)) return String(code)[0] === each[0];
    if (/^[2-5]\d\d$/.test(each)) return code === Number(each);
    throw new RangeError(
      `${JSON.stringify(expectation)} is no set of reply codes, such as '250 or 251' or '5yz'`,
    );
  });
}
