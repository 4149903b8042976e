/**
 * BODY, a parameter of MAIL that two extensions define: 8BITMIME (RFC 6152 §2), and BINARYMIME, which adds a value
 * to it (RFC 3030 §3).
 */
import type { ParameterRule } from '../contract/extension.js';
import type { MailParameters } from '../contract/parameters.js';

type Body = NonNullable<MailParameters['body']>;

/**
 * @param taken the values that a server with the extension takes
 * @param written those that a client writes because of it: one value is never written by two extensions
 */
export function bodyRule(taken: readonly Body[], written: readonly Body[]): ParameterRule<MailParameters> {
  const choice = `${taken.slice(0, -1).join(', ')} or ${taken.at(-1)}`;
  return {
    keyword: 'BODY',
    parse(value) {
      const upperCase = value?.toUpperCase();
      const body = taken.find((one) => one === upperCase);
      if (body !== undefined) return { body };
      // Its syntax demands a value (501); a value that nobody here implements is well-formed (504, RFC 5321 §4.2.2).
      const code = value === undefined ? 501 : 504;
      return { code, enhancedCode: '5.5.4', lines: [`BODY takes ${choice}`] };
    },
    format: ({ body }) => written.find((one) => one === body),
    isEssential: ({ body }) => body === 'BINARYMIME' && written.includes(body),
  };
}
