/** Turns: something may happen only so often, whoever wants it. */
import type { Clock } from '@sansmtp/transport';

/** Resolves when it is the caller's turn: at once for the first, and then `milliseconds` after the one before. */
export function turns(clock: Clock, milliseconds: number): () => Promise<void> {
  let next = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock.now();
    const at = Math.max(now, next);
    next = at + milliseconds;
    if (at > now) await new Promise<void>((resolve) => void clock.set(at, resolve));
  };
}
