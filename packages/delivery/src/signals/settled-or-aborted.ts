/** Waiting for what others have promised, no longer than a signal allows: not all of them heed it. */

/**
 * Settles as the promise does; what comes of it after the signal was aborted is passed over.
 * @throws the signal's reason once it is aborted
 */
export function settledOrAborted<Result>(
  promise: Result | PromiseLike<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return Promise.resolve(promise);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
