import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sharedLimits } from './shared-limits.js';

const A = '192.0.2.1';

/** Workers that keep nothing. */
const none = { recall: async () => {}, allow() {} };

describe('the limits of all workers together', () => {
  it('count the sessions of a client at whichever worker they are', async () => {
    const limits = sharedLimits(10, none);
    expect(limits.enter(1, A, 2)).toBeUndefined();
    expect(limits.enter(2, A, 2)).toBeUndefined();
    expect(await limits.enter(3, A, 2)).toBe('maximumConnectionsPerClient');
    limits.leave(1, A);
    expect(limits.enter(3, A, 2)).toBeUndefined();
  });

  it('count all sessions, also those of clients without a limit of their own', async () => {
    const limits = sharedLimits(2, none);
    limits.enter(1, undefined, 1);
    limits.enter(2, undefined, 1);
    expect(await limits.enter(1, A, 100)).toBe('maximumConnections');
    limits.leave(2, undefined);
    expect(limits.enter(1, A, 100)).toBeUndefined();
  });

  it('give back what a worker had when it died, and no more than that', async () => {
    const limits = sharedLimits(4, none);
    limits.enter(1, A, 3);
    limits.enter(1, A, 3);
    limits.enter(2, A, 3);
    limits.forget(1);
    // Its last words come late.
    limits.leave(1, A);
    expect(limits.enter(3, A, 3)).toBeUndefined();
    expect(limits.enter(3, A, 3)).toBeUndefined();
    expect(await limits.enter(3, A, 3)).toBe('maximumConnectionsPerClient');
  });
});

describe('places that workers keep', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are given back before a client is refused, which then gets one', async () => {
    const limits = sharedLimits(2, {
      ...none,
      async recall() {
        limits.leave(1, A);
      },
    });
    limits.enter(1, A, 2);
    limits.enter(1, A, 2);
    expect(await limits.enter(2, undefined, 2)).toBeUndefined();
    expect(await limits.enter(2, undefined, 2)).toBe('maximumConnections');
  });

  it('are none until 10 seconds after the last client that found no place', async () => {
    const told: string[] = [];
    const limits = sharedLimits(1, {
      async recall() {
        told.push('recall');
      },
      allow: () => told.push('allow'),
    });
    limits.enter(1, A, 2);
    expect(limits.areScarce).toBe(false);
    await limits.enter(1, A, 2);
    vi.advanceTimersByTime(9999);
    await limits.enter(1, A, 2);
    vi.advanceTimersByTime(9999);
    expect(told).toEqual(['recall']);
    expect(limits.areScarce).toBe(true);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(['recall', 'allow']);
    await limits.enter(1, A, 2);
    expect(told).toEqual(['recall', 'allow', 'recall']);
  });
});
