import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './system-clock.js';

const days = 24 * 60 * 60 * 1000;

describe('systemClock', () => {
  afterEach(() => vi.useRealTimers());

  it('counts milliseconds, never backwards', async () => {
    const before = systemClock.now();
    await sleep(20);
    const passed = systemClock.now() - before;
    expect(passed).toBeGreaterThanOrEqual(19);
    expect(passed).toBeLessThan(2000);
  });

  it('calls back when the moment is reached, never before, nor at once', async () => {
    const start = systemClock.now();
    const late: number[] = [];
    await Promise.all(
      [12.7, 3.1, 7.9, 0, -5].map(
        (distance) =>
          new Promise<void>((resolve) => {
            systemClock.set(start + distance, () => {
              late.push(systemClock.now() - (start + distance));
              resolve();
            });
            expect(late).toEqual([]);
          }),
      ),
    );
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  });

  it('never calls back early although the turn of the loop has lasted', async () => {
    const until = systemClock.now() + 20;
    while (systemClock.now() < until);
    const at = systemClock.now() + 5;
    const calledAt = await new Promise<number>((resolve) => {
      systemClock.set(at, () => resolve(systemClock.now()));
    });
    expect(calledAt).toBeGreaterThanOrEqual(at);
  });

  it('takes back what has not fired, and does not mind what has', async () => {
    const fired: string[] = [];
    const now = systemClock.now();
    const takeBack = systemClock.set(now + 5, () => fired.push('taken back'));
    takeBack();
    takeBack();
    await new Promise<void>((resolve) => {
      const done = systemClock.set(now + 5, () => {
        fired.push('fired');
        done();
        resolve();
      });
    });
    await sleep(15);
    expect(fired).toEqual(['fired']);
  });

  it('waits for longer than the 2^31 ms that setTimeout can', () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
    });
    const fired: string[] = [];
    const start = systemClock.now();
    systemClock.set(start + 60 * days, () => fired.push('60 days'));
    const takeBack = systemClock.set(start + 61 * days, () => fired.push('61 days'));
    vi.advanceTimersByTime(60 * days - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1); // the moment
    vi.advanceTimersToNextTimer(); // what has arrived is read, and then it is told
    expect(fired).toEqual(['60 days']);
    takeBack();
    vi.advanceTimersByTime(2 * days);
    expect(fired).toEqual(['60 days']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([Number.NaN, undefined])('refuses the moment %s, which would never be reached', (at) => {
    expect(() => systemClock.set(at as number, () => undefined)).toThrow(
      new RangeError(`The moment to call back at is ${at}; it takes milliseconds of this clock`),
    );
  });

  it('does not keep the process running', () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const takeBack = systemClock.set(systemClock.now() + 60_000, () => undefined);
    expect(timers()).toBe(before);
    takeBack();
  });
});
