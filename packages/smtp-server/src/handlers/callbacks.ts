/** Handlers that answer by a callback, as promises. */

type Callback<Result> = (error?: Error | null, result?: Result) => void;

/** What a handler gave to its callback: an error, or a result. */
export interface Outcome<Result> {
  readonly error?: Error;
  readonly result?: Result | undefined;
}

/**
 * What the handler gives to its callback, the first time that it calls it. What it throws rejects, as does what the promise
 * of an async function rejects with: that is a fault of the handler, and no answer.
 */
export function called<Result>(begin: (callback: Callback<Result>) => unknown): Promise<Outcome<Result>> {
  return new Promise((resolve, reject) => {
    const returned = begin((error, result) => resolve(error ? { error } : { result }));
    Promise.resolve(returned).catch(reject);
  });
}
