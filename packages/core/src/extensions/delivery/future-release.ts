/**
 * FUTURERELEASE (RFC 4865): hold the message for so long, or until then. For submission only: a server must not
 * offer it on any other port (RFC 4865 §4.2), so it is the application's to add. A server without it would deliver
 * at once, so a message to be held must not go there.
 */
import { checkLimit, outOfRange } from '../../option-checks.js';
import { checkObject } from '../../option-names.js';
import type { ParameterRule, ServiceExtension } from '../contract/extension.js';
import type { MailParameters } from '../contract/parameters.js';
import { instantOf } from '../values/date-time.js';
import { malformedParameter } from '../values/malformed-parameter.js';

/** RFC 4865 §3. */
const MAXIMUM_SECONDS = 999_999_999;

/** What a server says with FUTURERELEASE (RFC 4865 §3). */
export interface FutureReleaseBounds {
  /** How long a message is held at most: 1 to 999999999 seconds. */
  readonly maximumSeconds: number;
  /** Until when a message is held at most: a date-time of RFC 3339 in UTC, such as `2030-01-01T00:00:00Z`. */
  readonly maximumDate: string;
}

function isSeconds(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAXIMUM_SECONDS;
}

function holdFor(maximumSeconds: number): ParameterRule<MailParameters> {
  return {
    keyword: 'HOLDFOR',
    parse(value = '') {
      if (/^[1-9]\d{0,8}$/.test(value) && Number(value) <= maximumSeconds) {
        return { hold: { seconds: Number(value) } };
      }
      return malformedParameter(`HOLDFOR takes 1 to ${maximumSeconds} seconds`); // RFC 4865 §4.2
    },
    format({ hold }, offered) {
      if (hold === undefined || !('seconds' in hold)) return undefined;
      if (!isSeconds(hold.seconds)) {
        throw new RangeError(
          `A message cannot be held for ${hold.seconds} seconds: an integer of 1 to ${MAXIMUM_SECONDS}`,
        );
      }
      const [maximum = ''] = offered.split(' ');
      if (/^\d/.test(maximum) && hold.seconds > Number(maximum)) {
        throw new RangeError(
          `The server holds a message for ${maximum} seconds at most, not for ${hold.seconds} (RFC 4865 §4.1)`,
        );
      }
      return String(hold.seconds);
    },
    isEssential: ({ hold }) => hold !== undefined,
  };
}

function holdUntil(maximumDate: string, maximumInstant: number): ParameterRule<MailParameters> {
  return {
    keyword: 'HOLDUNTIL',
    parse(value = '') {
      const instant = instantOf(value);
      if (instant !== undefined && instant <= maximumInstant) return { hold: { until: value } };
      return malformedParameter(`HOLDUNTIL takes a date-time of RFC 3339, ${maximumDate} at the latest`);
    },
    format({ hold }, offered) {
      if (hold === undefined || !('until' in hold)) return undefined;
      const instant = instantOf(hold.until);
      if (instant === undefined) {
        throw new RangeError(
          `${JSON.stringify(hold.until)} is no date-time of RFC 3339 such as 2030-01-01T00:00:00Z`,
        );
      }
      const [, maximum = ''] = offered.split(' ');
      if (instant > (instantOf(maximum) ?? Number.POSITIVE_INFINITY)) {
        throw new RangeError(
          `The server holds a message until ${maximum} at most, not until ${hold.until} (RFC 4865 §4.1)`,
        );
      }
      return hold.until;
    },
    isEssential: ({ hold }) => hold !== undefined,
  };
}

/**
 * FUTURERELEASE (RFC 4865 §4), for submission only: MAIL may say how long, or until when, the message is to be held.
 * @throws {RangeError} a bound is no number of seconds, or no date-time in UTC
 */
export function futureRelease(bounds: FutureReleaseBounds): ServiceExtension {
  checkObject('The option', bounds, ['maximumSeconds', 'maximumDate']);
  const { maximumSeconds, maximumDate } = bounds;
  checkLimit('maximumSeconds', maximumSeconds, { most: MAXIMUM_SECONDS });
  const maximumInstant = instantOf(maximumDate);
  if (maximumInstant === undefined || !maximumDate.endsWith('Z')) {
    throw outOfRange(
      'maximumDate',
      maximumDate,
      'a date-time of RFC 3339 in UTC, such as 2030-01-01T00:00:00Z',
    );
  }
  return {
    keyword: 'FUTURERELEASE',
    offer: () => `${maximumSeconds} ${maximumDate}`,
    additionalMailOctets: 34, // RFC 4865 §3
    mailParameters: [holdFor(maximumSeconds), holdUntil(maximumDate, maximumInstant)],
  };
}
