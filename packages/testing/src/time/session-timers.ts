/** The deadlines of one session, as an observer hears of them: what a test that has stalled is told. */
import type { ServerEvent } from '@sansmtp/transport';

export interface SessionTimers {
  hear(event: ServerEvent): void;
  /** The next deadline by its name, such as `its time-out "idle" is due in 300,000 ms`; undefined without one. */
  describe(now: number): string | undefined;
}

export function sessionTimers(): SessionTimers {
  const due = new Map<string, number>();
  return {
    hear(event) {
      if (event.type === 'timerSet') due.set(event.id, event.time + event.delay);
      if (event.type === 'timerCleared') due.delete(event.id);
    },
    describe(now) {
      const [next] = [...due].sort(([, one], [, other]) => one - other);
      if (next === undefined || next[1] === Number.POSITIVE_INFINITY) return undefined;
      const [id, at] = next;
      return `its deadline ${JSON.stringify(id)} is due in ${Math.ceil(at - now)} ms`;
    },
  };
}
