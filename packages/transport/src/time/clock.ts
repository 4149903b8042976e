/**
 * Time, as drivers see it: a monotonic count of milliseconds and a way to be called at a moment of it. Tests
 * bring a virtual one.
 */
export interface Clock {
  /** Monotonic milliseconds from any origin. */
  now(): number;
  /**
   * Calls back once when `now()` has reached `at`. Returns what takes it back; harmless when it has fired. What had
   * arrived by then is delivered before, or a peer would be blamed for a pause of ours.
   */
  set(at: number, callback: () => void): () => void;
  /**
   * Calls back when all others that wait for this thread had a turn, and what has arrived for them was delivered.
   * @default set(now(), callback)
   */
  afterOthers?(callback: () => void): void;
}
