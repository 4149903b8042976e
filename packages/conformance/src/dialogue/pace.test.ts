import { describe, expect, it } from 'vitest';
import { createPace } from './pace.js';

describe('the pace of a server', () => {
  it('is the least where replies come at once', () => {
    const pace = createPace(300, 10_000);
    expect(pace.quiet).toBe(300);
    pace.replied(5);
    expect(pace.quiet).toBe(300);
  });

  it('follows a slow server, whose silence has to last longer', () => {
    const pace = createPace(300, 10_000);
    pace.replied(1000);
    expect(pace.quiet).toBe(4000);
  });

  it('forgets in time what was slow, and never goes beyond the most', () => {
    const pace = createPace(300, 10_000);
    pace.replied(60_000);
    expect(pace.quiet).toBe(10_000);
    for (let replies = 0; replies < 500; replies++) pace.replied(1);
    expect(pace.quiet).toBe(300);
  });
});
