/**
 * Time, as drivers see it: a monotonic count of milliseconds and a way to be called at a moment of it. Tests
 * bring a virtual one.
 */
export interface Clock {
  /** Monotonic milliseconds from any origin. */
  now(): number;
  /** Calls back once when `now()` has reached `at`. Returns what takes it back; harmless when it has fired. */
  set(at: number, callback: () => void): () => void;
}
