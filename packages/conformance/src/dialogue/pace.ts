/**
 * How long silence has to last until it shows that nothing more comes: several times as long as the server lately took for a
 * reply. A fixed time would judge a slow server, or a busy machine, by what has not come yet.
 */

/** Silence lasts so many times as long as the slowest reply of late. */
const SLOWEST_REPLIES = 4;

/** With each reply, what was slow before counts for so much less. */
const FADING = 0.98;

export interface Pace {
  /** Milliseconds. */
  readonly quiet: number;
  /** A reply came, after so many milliseconds. */
  replied(milliseconds: number): void;
}

/** @param least, most milliseconds between which `quiet` stays */
export function createPace(least: number, most: number): Pace {
  let slowest = 0;
  return {
    get quiet() {
      return Math.max(least, Math.min(most, SLOWEST_REPLIES * slowest));
    },
    replied(milliseconds) {
      slowest = Math.max(milliseconds, slowest * FADING);
    },
  };
}
