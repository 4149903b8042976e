import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY_SCHEDULE, nextAttempt, type RetrySchedule } from './retry-schedule.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 1_700_000_000_000;

interface Life {
  /** From the first attempt on, as milliseconds behind it. */
  readonly attempts: readonly number[];
  readonly warnings: readonly number[];
}

/** All attempts of a message that never gets through, each as late as the delays say and as long as they last. */
function live(schedule?: RetrySchedule, delays: readonly number[] = []): Life {
  const attempts = [0];
  const warnings: number[] = [];
  for (;;) {
    const now = (attempts.at(-1) ?? 0) + (delays[attempts.length - 1] ?? 0);
    const history = {
      firstTriedAt: START,
      attempts: attempts.length,
      now: START + now,
      warned: warnings.length > 0,
    };
    const next = nextAttempt(history, schedule);
    if (next.kind === 'giveUp') return { attempts, warnings };
    if (next.warn) warnings.push(now);
    attempts.push(next.at - START);
  }
}

describe('the default schedule (RFC 5321 §4.5.4.1)', () => {
  const { attempts, warnings } = live();

  it('tries twice more in the first hour, then ever more rarely', () => {
    expect(attempts.slice(0, 7)).toEqual([0, 0.5, 1, 2, 4, 8, 12].map((hours) => hours * HOUR));
  });

  it('waits for 30 minutes at least', () => {
    const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(Math.min(...waits)).toBe(30 * MINUTE);
  });

  it('gives up after 4 to 5 days', () => {
    expect(attempts.at(-1)).toBeGreaterThan(4 * DAY);
    expect(attempts.at(-1)).toBeLessThanOrEqual(5 * DAY);
  });

  it('warns once, at the attempt 4 hours after the first', () => {
    expect(warnings).toEqual([4 * HOUR]);
  });
});

describe('the next attempt', () => {
  const schedule: RetrySchedule = { intervals: [10, 20], giveUpAfter: 100, warnAfter: 50 };

  it('is the interval of this attempt away, the last interval from then on', () => {
    const at = (attempts: number): unknown => nextAttempt({ firstTriedAt: 0, attempts, now: 5 }, schedule);
    expect([1, 2, 3, 1_000_000].map(at)).toEqual([15, 25, 25, 25].map((at) => ({ kind: 'retry', at })));
  });

  it('may be at the end of the time, and not behind it', () => {
    const at = (now: number): unknown =>
      nextAttempt({ firstTriedAt: 0, attempts: 2, now, warned: true }, schedule);
    expect(at(80)).toEqual({ kind: 'retry', at: 100 });
    expect(at(81)).toEqual({ kind: 'giveUp' });
    expect(at(1_000_000)).toEqual({ kind: 'giveUp' });
  });

  it('comes with a warning from warnAfter on, unless there has been one', () => {
    const at = (now: number, warned?: boolean): unknown =>
      nextAttempt({ firstTriedAt: 0, attempts: 2, now, ...(warned !== undefined && { warned }) }, schedule);
    expect(at(49)).toEqual({ kind: 'retry', at: 69 });
    expect(at(50)).toEqual({ kind: 'retry', at: 70, warn: true });
    expect(at(50, false)).toEqual({ kind: 'retry', at: 70, warn: true });
    expect(at(50, true)).toEqual({ kind: 'retry', at: 70 });
  });

  it('does not come with a warning when it is given up: the failure says more', () => {
    expect(nextAttempt({ firstTriedAt: 0, attempts: 1, now: 95 }, schedule)).toEqual({ kind: 'giveUp' });
  });

  it('is never before its time when the clock has been set back', () => {
    expect(nextAttempt({ firstTriedAt: 1000, attempts: 1, now: 0 }, schedule)).toEqual({
      kind: 'retry',
      at: 10,
    });
  });

  it('refuses what is no schedule and no history', () => {
    const history = { firstTriedAt: 0, attempts: 1, now: 0 };
    const wrong: Partial<RetrySchedule>[] = [
      { intervals: [] },
      { intervals: [1, 0] },
      { intervals: [Number.NaN] },
      { intervals: [Number.POSITIVE_INFINITY] },
      { giveUpAfter: Number.NaN },
      { giveUpAfter: -1 },
      { giveUpAfter: Number.POSITIVE_INFINITY },
      { warnAfter: Number.NaN },
      { warnAfter: -1 },
      // Not every caller is compiled, and texts compare like numbers.
      ...[
        { intervals: ['1800000'] },
        { intervals: '1800000' },
        { giveUpAfter: '432000000' },
        { warnAfter: '1' },
      ].map((change) => change as unknown as Partial<RetrySchedule>),
    ];
    for (const change of wrong)
      expect(() => nextAttempt(history, { ...schedule, ...change })).toThrow(RangeError);
    for (const attempts of [0, -1, 1.5, Number.NaN]) {
      expect(() => nextAttempt({ ...history, attempts }, schedule)).toThrow(RangeError);
    }
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, Number(undefined)]) {
      expect(() => nextAttempt({ ...history, firstTriedAt: time }, schedule)).toThrow(/firstTriedAt is/);
      expect(() => nextAttempt({ ...history, now: time }, schedule)).toThrow(/now is/);
    }
    expect(nextAttempt(history, { ...schedule, warnAfter: Number.POSITIVE_INFINITY })).toEqual({
      kind: 'retry',
      at: 10,
    });
  });
});

describe('any schedule', () => {
  const schedules = fc.record({
    intervals: fc.array(fc.integer({ min: 50, max: 1000 }), { minLength: 1, maxLength: 5 }),
    giveUpAfter: fc.nat(10_000),
    warnAfter: fc.nat(10_000),
  });
  const delays = fc.array(fc.nat(500));

  it('goes on in time, keeps its intervals, ends in time, and warns once at most and when it is time', () => {
    fc.assert(
      fc.property(schedules, delays, (schedule, delays) => {
        const { attempts, warnings } = live(schedule, delays);
        attempts.slice(1).forEach((at, index) => {
          const interval = schedule.intervals[Math.min(index, schedule.intervals.length - 1)] ?? 0;
          expect(at - (attempts[index] ?? 0)).toBe(interval + (delays[index] ?? 0));
          expect(at).toBeLessThanOrEqual(schedule.giveUpAfter);
        });
        expect(warnings.length).toBeLessThanOrEqual(1);
        for (const warning of warnings) expect(warning).toBeGreaterThanOrEqual(schedule.warnAfter);
      }),
    );
  });

  it('gives up once and for all: later is never tried where earlier was given up', () => {
    fc.assert(
      fc.property(
        schedules,
        fc.integer({ min: 1, max: 9 }),
        fc.nat(20_000),
        fc.nat(20_000),
        (schedule, attempts, now, later) => {
          const at = (now: number): string => nextAttempt({ firstTriedAt: 0, attempts, now }, schedule).kind;
          if (at(now) === 'giveUp') expect(at(now + later)).toBe('giveUp');
        },
      ),
    );
  });

  it('is the default one where none is given', () => {
    const history = { firstTriedAt: 0, attempts: 3, now: 5 * HOUR };
    expect(nextAttempt(history)).toEqual(nextAttempt(history, DEFAULT_RETRY_SCHEDULE));
  });
});
