import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.js';
import { DeadlineTimer } from './deadline-timer.js';

/** A clock that stands still: the test fires what is set on it. */
class StubClock implements Clock {
  /** How often something was set. */
  count = 0;
  time = 0;
  readonly pending = new Map<number, () => void>();

  now(): number {
    return this.time;
  }

  set(at: number, callback: () => void): () => void {
    this.count++;
    this.pending.set(at, callback);
    return () => this.pending.delete(at);
  }

  fire(at: number): void {
    const callback = this.pending.get(at);
    this.pending.delete(at);
    callback?.();
  }
}

describe('a deadline timer', () => {
  let clock: StubClock;
  let timer: DeadlineTimer;
  let calls: string[];
  beforeEach(() => {
    clock = new StubClock();
    timer = new DeadlineTimer(clock);
    calls = [];
  });

  const arm = (next: number | undefined, name = 'due') => timer.arm(next, { due: () => calls.push(name) });

  it('calls once when the deadline has come, and may be armed again', () => {
    arm(10);
    clock.fire(10);
    arm(10, 'again');
    clock.fire(10);
    expect(calls).toEqual(['due', 'again']);
  });

  it('is left standing when the deadline moves away, or there is none', () => {
    arm(10);
    arm(11);
    arm(10);
    arm(undefined);
    expect(clock.count).toBe(1);
    expect([...clock.pending.keys()]).toEqual([10]);
  });

  it('is set anew, and only one at a time, when the deadline comes nearer', () => {
    arm(10, 'far');
    arm(9, 'near');
    expect([...clock.pending.keys()]).toEqual([9]);
    clock.fire(9);
    expect(calls).toEqual(['near']);
  });

  it('shares one timer of the clock with all others, which fire in the order of their deadlines', () => {
    const moments = [40, 10, 30, 20, 10, 50, 5];
    const timers = moments.map(() => new DeadlineTimer(clock));
    for (const [index, moment] of moments.entries()) {
      timers[index]?.arm(moment, { due: () => calls.push(String(moment)) });
    }
    expect([...clock.pending.keys()]).toEqual([5]);
    timers[2]?.clear();
    for (const moment of [5, 10, 20, 40, 50]) {
      expect([...clock.pending.keys()]).toEqual([moment]);
      clock.fire(moment);
    }
    expect(calls).toEqual(['5', '10', '10', '20', '40', '50']);
    expect(clock.pending.size).toBe(0);
  });

  it('does not fire once another that is due has cleared it; where that throws, it fires all the same', () => {
    const others = [new DeadlineTimer(clock), new DeadlineTimer(clock)];
    timer.arm(1, { due: () => others[0]?.clear() });
    others[0]?.arm(2, { due: () => calls.push('cleared') });
    others[1]?.arm(2, { due: () => calls.push('due') });
    clock.time = 2;
    clock.fire(1);
    expect(calls).toEqual(['due']);
    timer.arm(3, {
      due() {
        throw new Error('of the application');
      },
    });
    others[1]?.arm(3, { due: () => calls.push('due as well') });
    clock.time = 3;
    expect(() => clock.fire(3)).toThrow('of the application');
    clock.fire(3);
    expect(calls).toEqual(['due', 'due as well']);
  });

  it('forgets what it was armed for when cleared', () => {
    timer.clear();
    arm(10);
    timer.clear();
    expect(clock.pending.size).toBe(0);
    arm(11);
    expect([...clock.pending.keys()]).toEqual([11]);
  });
});
