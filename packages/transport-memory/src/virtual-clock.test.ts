import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from './virtual-clock.js';

describe('createVirtualClock', () => {
  it('stands still until it is told to advance', () => {
    const clock = createVirtualClock();
    const { now } = clock;
    expect(now()).toBe(0);
    clock.advance(1500);
    clock.advance(0.5);
    expect(now()).toBe(1500.5);
  });

  it('fires a timer when its moment is reached, once, and not before', () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    clock.set(300, () => fired.push(clock.now()));
    clock.advance(299);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual([300]);
    clock.advance(1000);
    expect(fired).toEqual([300]);
  });

  it('fires in the order of the moments, with the time of each', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.array(fc.nat(20)), (moments, advances) => {
        const clock = createVirtualClock();
        const fired: { order: number; at: number; now: number }[] = [];
        moments.forEach((at, order) => {
          clock.set(at, () => fired.push({ order, at, now: clock.now() }));
        });
        for (const ms of [...advances, 50]) clock.advance(ms);
        expect(fired).toEqual(
          moments
            .map((at, order) => ({ order, at, now: at }))
            .sort((one, other) => one.at - other.at || one.order - other.order),
        );
        expect(clock.pending).toBe(0);
      }),
    );
  });

  it('fires what a firing timer sets, when it falls due within the same advance', () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    clock.set(10, () => {
      fired.push(clock.now());
      clock.set(clock.now() + 10, () => fired.push(clock.now()));
      clock.set(clock.now() + 100, () => fired.push(clock.now()));
    });
    clock.advance(50);
    expect(fired).toEqual([10, 20]);
    expect(clock.pending).toBe(1);
  });

  it('fires a timer set for the past at the next advance, without going back', () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    clock.advance(100);
    clock.set(50, () => fired.push(clock.now()));
    expect(fired).toEqual([]);
    clock.advance(0);
    expect(fired).toEqual([100]);
  });

  it('counts what is pending, and takes back any timer at any time', () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const takeBack = clock.set(10, () => fired.push('taken back'));
    const late = clock.set(10, () => fired.push('fired'));
    expect(clock.pending).toBe(2);
    takeBack();
    takeBack();
    expect(clock.pending).toBe(1);
    clock.advance(10);
    late();
    expect(fired).toEqual(['fired']);
    expect(clock.pending).toBe(0);
  });

  it.each([-1, Number.NaN])('refuses to advance by %s', async (ms) => {
    const clock = createVirtualClock();
    expect(() => clock.advance(ms)).toThrow(RangeError);
    await expect(clock.advanceAsync(ms)).rejects.toThrow(RangeError);
  });

  it('lets promise reactions set timers between two of its own, with advanceAsync', async () => {
    const clock = createVirtualClock();
    const fired: string[] = [];
    const sleep = (ms: number) =>
      new Promise<void>((resolve) => {
        clock.set(clock.now() + ms, resolve);
      });
    clock.set(25, () => fired.push('timer at 25'));
    const sleeper = (async () => {
      await sleep(10);
      fired.push(`awake at ${clock.now()}`);
      await sleep(10);
      fired.push(`awake at ${clock.now()}`);
    })();
    await clock.advanceAsync(30);
    await sleeper;
    expect(fired).toEqual(['awake at 10', 'awake at 20', 'timer at 25']);
    expect(clock.now()).toBe(30);
  });

  it('lets reactions settle as it is told', async () => {
    let settles = 0;
    const clock = createVirtualClock({
      settle: async () => {
        settles++;
      },
    });
    clock.set(1, () => undefined);
    clock.set(2, () => undefined);
    await clock.advanceAsync(10);
    expect(settles).toBe(3);
  });
});
