/**
 * FUTURERELEASE (RFC 4865) of a relay that runs for years: the last date that HOLDUNTIL may name goes on with the clock.
 */
import { futureRelease, type ServiceExtension } from '@sansmtp/core';

/** Seconds for which a message may be held: a month. */
const LONGEST_HOLD = 30 * 86_400;

/** Milliseconds from now to the last date that HOLDUNTIL may name. */
const LAST_DATE_AFTER = 366 * 86_400_000;

/** @param now the time of day, in milliseconds since 1970 */
export function futureReleaseWithinAYear(now: () => number = Date.now): ServiceExtension {
  const current = () => {
    const maximumDate = new Date(now() + LAST_DATE_AFTER).toISOString().replace(/\.\d+Z$/, 'Z');
    return futureRelease({ maximumSeconds: LONGEST_HOLD, maximumDate });
  };
  const first = current();
  return {
    ...first,
    offer: (standing) => current().offer?.(standing),
    mailParameters: (first.mailParameters ?? []).map((rule) => ({
      ...rule,
      parse(value, standing) {
        const today = current().mailParameters?.find(({ keyword }) => keyword === rule.keyword) ?? rule;
        return today.parse(value, standing);
      },
    })),
  };
}
