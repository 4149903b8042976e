/**
 * One sync for all who wait for one: to sync a folder takes as long for a hundred new names in it as for one.
 *
 * A sync says nothing of what was done after it had begun. So whoever comes while one is under way waits for the next, which
 * begins when that has ended, and shares it with all others who come until then.
 */

/**
 * @param sync makes all durable that was done before it is called
 * @returns resolves once a sync that began after the call has ended, and rejects with what that sync failed with
 */
export function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function begin(): Promise<void> {
    next = undefined;
    const begun = sync().finally(() => {
      if (underWay === begun) underWay = undefined;
    });
    underWay = begun;
    return begun;
  }

  return () => {
    if (next !== undefined) return next;
    if (underWay === undefined) return begin();
    // Those who wait for the one under way are told by itself if it fails.
    next = underWay.catch(() => {}).then(begin);
    return next;
  };
}
