import { createVirtualClock } from '@sansmtp/transport-memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendRate } from './send-rate.js';

describe('the rate of mail transactions', () => {
  it('lets as many begin at once as the limit, and the next ones when their time has come, in order', async () => {
    const clock = createVirtualClock();
    const rate = new SendRate(2, 1000, clock);
    const begun: [number, number][] = [];
    for (let number = 0; number < 5; number++) {
      const turn = rate.turn(undefined);
      if (turn === undefined) begun.push([number, clock.now()]);
      else void turn.then(() => begun.push([number, clock.now()]));
    }
    for (let second = 0; second < 3; second++) await clock.advanceAsync(1000);
    expect(begun).toEqual([
      [0, 0],
      [1, 0],
      [2, 1000],
      [3, 1000],
      [4, 2000],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('is kept in every window, whenever the transactions come', async () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({ min: 1, max: 4 }), async (waits, limit) => {
        const clock = createVirtualClock();
        const rate = new SendRate(limit, 1000, clock);
        const begun: number[] = [];
        for (const wait of waits) {
          const turn = rate.turn(undefined);
          if (turn === undefined) begun.push(clock.now());
          else void turn.then(() => begun.push(clock.now()));
          await clock.advanceAsync(wait);
        }
        await clock.advanceAsync(1000 * waits.length);
        expect(begun).toHaveLength(waits.length);
        for (const [index, at] of begun.entries()) {
          const before = begun[index - limit];
          if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(1000);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses who waits once the signal or the mailer says so', async () => {
    const clock = createVirtualClock();
    const rate = new SendRate(1, 1000, clock);
    rate.turn(undefined);
    const controller = new AbortController();
    const [byOne, byAll] = [rate.turn(controller.signal), rate.turn(undefined)];
    controller.abort('one');
    rate.abort('all');
    await expect(byOne).rejects.toBe('one');
    await expect(byAll).rejects.toBe('all');
    await expect(rate.turn(controller.signal)).rejects.toBe('one');
    expect(clock.pending).toBe(0);
  });
});
