/** Whether two sessions are the same but for the segments in which the octets arrived. */
import type { Step } from './step.js';
import { textOf } from './text.js';

export function isSameSession(one: readonly Step[], other: readonly Step[]): boolean {
  return JSON.stringify(turnsOf(one)) === JSON.stringify(turnsOf(other));
}

/** The end of each turn, however many segments it had: the time, where both ends stand, and what they sent. */
export function turnsOf(steps: readonly Step[]) {
  return steps
    .filter((step, index) => steps[index + 1]?.turn !== step.turn)
    .map(({ now, standing, sent }) => ({
      now,
      states: standing.states,
      sent: sent.map(({ from, octets }) => [from, textOf(octets)]),
    }));
}
