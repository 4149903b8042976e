/**
 * DELIVERBY (RFC 2852): deliver within so many seconds, or else return the message or tell the sender. A message
 * that would rather come back than come late must not go to a server without it (RFC 2852 §4.1).
 */
import { checkLimit } from '../../option-checks.js';
import { checkNames } from '../../option-names.js';
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';

/** RFC 2852 §4. */
const MAXIMUM_SECONDS = 999_999_999;

/** What a server says with DELIVERBY (RFC 2852 §2). */
export interface DeliverByOptions {
  /**
   * The fewest seconds, 1 to 999999999, for which a message can be asked to be returned (RFC 2852 §3).
   * @default nothing is said of it
   */
  readonly minimumSeconds?: number;
}

/**
 * DELIVERBY (RFC 2852 §4): MAIL may say when the message is to be delivered at the latest.
 * @throws {RangeError} the minimum is no number of seconds
 */
export function deliverBy(options: DeliverByOptions = {}): ServiceExtension {
  checkNames('The option', options, ['minimumSeconds']);
  const { minimumSeconds } = options;
  const minimum = checkLimit('minimumSeconds', minimumSeconds ?? 1, { most: MAXIMUM_SECONDS });
  return {
    keyword: 'DELIVERBY',
    offer: () => (minimumSeconds === undefined ? '' : String(minimumSeconds)),
    additionalMailOctets: 17, // RFC 2852 §2
    mailParameters: [
      {
        keyword: 'BY',
        parse(value = '') {
          const match = /^([+-]?\d{1,9});([NR])(T?)$/i.exec(value);
          if (match === null) {
            return malformedParameter('BY takes seconds of 1 to 9 digits, ";", N or R, and possibly T');
          }
          // Not "-0", which no other zero equals.
          const seconds = Number(match[1]) + 0;
          const mode = match[2]?.toUpperCase() === 'R' ? 'return' : 'notify';
          if (mode === 'return' && seconds <= 0) {
            return malformedParameter('BY with R takes more than 0 seconds'); // RFC 2852 §4
          }
          if (mode === 'return' && seconds < minimum) {
            // RFC 2852 §3, §4: well-formed, and cannot be honored.
            const text = `BY with R takes ${minimum} seconds at least`;
            return { code: 555, enhancedCode: '5.5.4', lines: [text] };
          }
          return { deliverBy: { seconds, mode, trace: match[3] !== '' } };
        },
        format(parameters, offered) {
          if (parameters.deliverBy === undefined) return undefined;
          const { seconds, mode, trace } = parameters.deliverBy;
          const least = mode === 'return' ? 1 : -MAXIMUM_SECONDS;
          if (!Number.isInteger(seconds) || seconds < least || seconds > MAXIMUM_SECONDS) {
            throw new RangeError(
              `${seconds} is no time to deliver by: an integer of ${least} to ${MAXIMUM_SECONDS} seconds with the ` +
                `mode '${mode}' (RFC 2852 §4)`,
            );
          }
          // The server's least time may be followed by a comma and more (RFC 2852 §2).
          const [offeredMinimum] = /^\d+/.exec(offered) ?? ['0'];
          if (mode === 'return' && seconds < Number(offeredMinimum)) {
            throw new RangeError(
              `The server returns a message after ${offeredMinimum} seconds at least, not after ${seconds} ` +
                '(RFC 2852 §4.1)',
            );
          }
          return `${seconds};${mode === 'return' ? 'R' : 'N'}${trace ? 'T' : ''}`;
        },
        isEssential: (parameters) => parameters.deliverBy?.mode === 'return',
      },
    ],
  };
}
