/**
 * The limits that hold for all workers together, as the process that supervises counts. What a worker had when it died is
 * given back. Places that workers keep for clients to come count as taken, until a client would be refused for them: then
 * all are given back, and that client is looked at again.
 */
import { type ConnectionLimit, connectionLimiter } from '@sansmtp/transport-node';

/** Milliseconds after the last client that found no place, in which workers keep none. */
const SCARCE_FOR = 10_000;

export interface SharedLimits {
  /** A client has connected to this worker: the limit that is reached, or undefined: it is served. */
  enter(
    worker: number,
    client: string | undefined,
    maximumOfClient: number,
  ): ConnectionLimit | undefined | Promise<ConnectionLimit | undefined>;
  /** A place of this worker is free. */
  leave(worker: number, client: string | undefined): void;
  /** The worker is gone, and all its sessions. */
  forget(worker: number): void;
  /** Whether workers are to keep no places. */
  readonly areScarce: boolean;
}

/** What all workers are told of the places that they keep. */
export interface KeptPlaces {
  /** To give all back, and keep none. Resolves once they have. */
  recall(): Promise<void>;
  /** That they may keep some again. */
  allow(): void;
}

export function sharedLimits(maximumConnections: number, kept: KeptPlaces): SharedLimits {
  const all = connectionLimiter({ maximumConnections });
  const places = new Map<number, Map<string | undefined, number>>();
  /** Settles once nothing is kept; undefined: workers may keep places. */
  let recalled: Promise<void> | undefined;
  let calm: NodeJS.Timeout | undefined;

  function take(worker: number, client: string | undefined, maximum: number): ConnectionLimit | undefined {
    const limit = all.enter(client, maximum);
    if (limit !== undefined) return limit;
    const own = places.get(worker) ?? new Map<string | undefined, number>();
    places.set(worker, own.set(client, (own.get(client) ?? 0) + 1));
    return undefined;
  }

  async function takeAfterRecall(worker: number, client: string | undefined, maximum: number) {
    recalled ??= kept.recall();
    await recalled;
    clearTimeout(calm);
    calm = setTimeout(() => {
      recalled = undefined;
      kept.allow();
    }, SCARCE_FOR).unref();
    return take(worker, client, maximum);
  }

  return {
    enter(worker, client, maximumOfClient) {
      const limit = take(worker, client, maximumOfClient);
      return limit === undefined ? undefined : takeAfterRecall(worker, client, maximumOfClient);
    },
    leave(worker, client) {
      const own = places.get(worker);
      const count = own?.get(client);
      // What comes late from a worker that is gone has been given back already.
      if (own === undefined || count === undefined) return;
      if (count === 1) own.delete(client);
      else own.set(client, count - 1);
      all.leave(client);
    },
    forget(worker) {
      for (const [client, count] of places.get(worker) ?? []) {
        for (let left = count; left > 0; left -= 1) all.leave(client);
      }
      places.delete(worker);
    },
    get areScarce() {
      return recalled !== undefined;
    },
  };
}
