/**
 * The retry schedule: when mail that could not be delivered is tried again, and when it is given up
 * (RFC 5321 §4.5.4.1). Pure: times are arguments, and nothing here keeps a clock.
 */
import { checkNames, checkObject, namesOf } from '@sansmtp/core';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All in milliseconds. */
export interface RetrySchedule {
  /** The wait behind the first attempt, behind the second, and so on; the last one from then on. */
  readonly intervals: readonly number[];
  /** From the first attempt: later than that there is none. */
  readonly giveUpAfter: number;
  /** From the first attempt: then the sender is told of the delay, once. `Infinity`: never. */
  readonly warnAfter: number;
}

/**
 * Soon twice, for what has passed by then; then rarely. RFC 5321 §4.5.4.1: waits of 30 minutes at least, two attempts
 * in the first hour, and 4 to 5 days before giving up.
 */
export const DEFAULT_RETRY_SCHEDULE: RetrySchedule = {
  intervals: [30 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR],
  giveUpAfter: 5 * DAY,
  warnAfter: 4 * HOUR,
};

export interface DeliveryHistory {
  /** Milliseconds since 1970. */
  readonly firstTriedAt: number;
  /** Attempts so far, the one that has just failed included: 1 or more. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The sender has been told of the delay. @default false */
  readonly warned?: boolean;
}

export type NextAttempt =
  | {
      readonly kind: 'retry';
      /** Milliseconds since 1970. */
      readonly at: number;
      /** Tell the sender now that the message is delayed, if the recipient's NOTIFY allows it (RFC 3461 §4.1). */
      readonly warn?: true;
    }
  | { readonly kind: 'giveUp' };

const HISTORY_NAMES = namesOf<DeliveryHistory>({
  firstTriedAt: true,
  attempts: true,
  now: true,
  warned: true,
});

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

/** @throws {RangeError} what is not a schedule: with a NaN in it mail would be tried without a pause, or for ever */
function check({ intervals, giveUpAfter, warnAfter }: RetrySchedule): void {
  // Texts, too, would be compared as numbers, but added as texts.
  if (
    !Array.isArray(intervals) ||
    intervals.length === 0 ||
    !intervals.every((each) => isTime(each) && each > 0)
  ) {
    throw new RangeError(
      'A retry schedule has one interval at least, each a number of more than 0 milliseconds',
    );
  }
  if (!isTime(giveUpAfter) || !(isTime(warnAfter) || warnAfter === Number.POSITIVE_INFINITY)) {
    throw new RangeError(
      'A retry schedule has a giveUpAfter and a warnAfter, numbers of 0 milliseconds or more',
    );
  }
}

/**
 * What follows a failed attempt.
 *
 * @throws {RangeError} the schedule, the number of attempts or a time is out of range
 * @throws {TypeError} a property of the history or of the schedule is not known
 */
export function nextAttempt(
  history: DeliveryHistory,
  schedule: RetrySchedule = DEFAULT_RETRY_SCHEDULE,
): NextAttempt {
  checkObject('The property of a delivery history', history, HISTORY_NAMES);
  const { firstTriedAt, attempts, now, warned = false } = history;
  checkNames('The property of a retry schedule', schedule, ['intervals', 'giveUpAfter', 'warnAfter']);
  check(schedule);
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new RangeError(`attempts is ${attempts}; it takes an integer of 1 or more`);
  }
  for (const [name, time] of Object.entries({ firstTriedAt, now })) {
    if (Number.isFinite(time)) continue;
    throw new RangeError(`${name} is ${time}; it takes milliseconds since 1970`);
  }
  const { intervals, giveUpAfter, warnAfter } = schedule;
  const at = now + (intervals[Math.min(attempts, intervals.length) - 1] as number);
  if (at > firstTriedAt + giveUpAfter) return { kind: 'giveUp' };
  const warn = !warned && now - firstTriedAt >= warnAfter;
  return { kind: 'retry', at, ...(warn && { warn }) };
}
