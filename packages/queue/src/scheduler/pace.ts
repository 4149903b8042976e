/**
 * How many deliveries a destination gets at a time, and when it counts as down. Numbers only: whoever delivers says what came
 * of it.
 *
 * After Postfix's feedback: the window grows by one when as many deliveries as it has room for have reached the destination,
 * and shrinks by one with each that did not. A destination is down once as many deliveries as were under way have failed in a row,
 * each weighed by their number: a single one that is alone, or half of two and the other.
 */

/** Deliveries at a time to a destination of which nothing is known yet. */
export const INITIAL_WINDOW = 5;

export interface Pace {
  /** Deliveries at a time. */
  readonly window: number;
  /** Deliveries that have reached the destination since the window grew: it grows once there are as many as it has room for. */
  readonly arrived: number;
  /** Under way. */
  readonly active: number;
  /** What part of all that was under way has failed in a row: 1 or more is down. */
  readonly failed: number;
}

export function newPace(limit: number): Pace {
  return { window: Math.min(INITIAL_WINDOW, limit), arrived: 0, active: 0, failed: 0 };
}

/** A destination that was down is asked by one delivery alone. */
export function probing(pace: Pace): Pace {
  return { ...pace, window: 1, arrived: 0, failed: 0 };
}

export function room({ window, active }: Pace): number {
  return Math.max(0, window - active);
}

export function begun(pace: Pace): Pace {
  return { ...pace, active: pace.active + 1 };
}

/** The destination has answered, whatever it said of the message. */
export function reached({ window, arrived, active }: Pace, limit: number): Pace {
  const next = { window, arrived, active: active - 1, failed: 0 };
  // A window that is not used to the full says nothing of how many the destination would bear.
  if (active < window || window >= limit) return next;
  return arrived + 1 < window
    ? { ...next, arrived: arrived + 1 }
    : { ...next, window: window + 1, arrived: 0 };
}

/** No connection, or a greeting of 421. */
export function failed({ window, active, failed }: Pace): Pace {
  return { window: Math.max(1, window - 1), arrived: 0, active: active - 1, failed: failed + 1 / active };
}

/** It ended without anything being known of the destination. */
export function ended(pace: Pace): Pace {
  return { ...pace, active: pace.active - 1 };
}

export function isDown(pace: Pace): boolean {
  // Thirds and sevenths do not add up to 1 exactly.
  return pace.failed > 1 - 1e-9;
}
