import { describe, expect, it } from 'vitest';
import { sharedLimits } from './shared-limits.js';

const A = '192.0.2.1';

describe('the limits of all workers together', () => {
  it('count the sessions of a client at whichever worker they are', () => {
    const limits = sharedLimits(10);
    expect(limits.enter(1, A, 2)).toBeUndefined();
    expect(limits.enter(2, A, 2)).toBeUndefined();
    expect(limits.enter(3, A, 2)).toBe('maximumConnectionsPerClient');
    limits.leave(1, A);
    expect(limits.enter(3, A, 2)).toBeUndefined();
  });

  it('count all sessions, also those of clients without a limit of their own', () => {
    const limits = sharedLimits(2);
    limits.enter(1, undefined, 1);
    limits.enter(2, undefined, 1);
    expect(limits.enter(1, A, 100)).toBe('maximumConnections');
    limits.leave(2, undefined);
    expect(limits.enter(1, A, 100)).toBeUndefined();
  });

  it('give back what a worker had when it died, and no more than that', () => {
    const limits = sharedLimits(4);
    limits.enter(1, A, 3);
    limits.enter(1, A, 3);
    limits.enter(2, A, 3);
    limits.forget(1);
    // Its last words come late.
    limits.leave(1, A);
    expect(limits.enter(3, A, 3)).toBeUndefined();
    expect(limits.enter(3, A, 3)).toBeUndefined();
    expect(limits.enter(3, A, 3)).toBe('maximumConnectionsPerClient');
  });
});
