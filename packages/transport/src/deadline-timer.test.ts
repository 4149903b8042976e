import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from './clock.js';
import { DeadlineTimer } from './deadline-timer.js';

/** A clock that stands still: the test fires what is set on it. */
class StubClock implements Clock {
  /** How often something was set. */
  count = 0;
  readonly pending = new Map<number, () => void>();

  now(): number {
    return 0;
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

  const arm = (next: number | undefined, name = 'due') => timer.arm(next, () => calls.push(name));

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

  it('forgets what it was armed for when cleared', () => {
    timer.clear();
    arm(10);
    timer.clear();
    expect(clock.pending.size).toBe(0);
    arm(11);
    expect([...clock.pending.keys()]).toEqual([11]);
  });
});
