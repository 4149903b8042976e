/** The host's own timers: every runtime has them, and this package is compiled without the types of any. */

type SetTimeout = (callback: () => void, milliseconds: number) => unknown;

/** Calls back after so many milliseconds of real time; returns what takes it back. */
export function afterRealTime(milliseconds: number, callback: () => void): () => void {
  const set = Reflect.get(globalThis, 'setTimeout') as SetTimeout;
  const clear = Reflect.get(globalThis, 'clearTimeout') as (timer: unknown) => void;
  const timer = set(callback, milliseconds);
  return () => clear(timer);
}

/** Resolves after a turn of the event loop, in which whatever has arrived for the program was delivered. */
export function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => void afterRealTime(0, resolve));
}
