/**
 * The limits that hold for all workers together, as the process that supervises counts. What a worker had when it died is
 * given back.
 */
import { type ConnectionLimit, connectionLimiter } from '@sansmtp/transport-node';

export interface SharedLimits {
  /** A client has connected to this worker: the limit that is reached, or undefined: it is served. */
  enter(worker: number, client: string | undefined, maximumOfClient: number): ConnectionLimit | undefined;
  /** A session of this worker has ended. */
  leave(worker: number, client: string | undefined): void;
  /** The worker is gone, and all its sessions. */
  forget(worker: number): void;
}

export function sharedLimits(maximumConnections: number): SharedLimits {
  const all = connectionLimiter({ maximumConnections });
  const sessions = new Map<number, Map<string | undefined, number>>();
  return {
    enter(worker, client, maximumOfClient) {
      const limit = all.enter(client, maximumOfClient);
      if (limit !== undefined) return limit;
      const own = sessions.get(worker) ?? new Map<string | undefined, number>();
      sessions.set(worker, own.set(client, (own.get(client) ?? 0) + 1));
      return undefined;
    },
    leave(worker, client) {
      const own = sessions.get(worker);
      const count = own?.get(client);
      // What comes late from a worker that is gone has been given back already.
      if (own === undefined || count === undefined) return;
      if (count === 1) own.delete(client);
      else own.set(client, count - 1);
      all.leave(client);
    },
    forget(worker) {
      for (const [client, count] of sessions.get(worker) ?? []) {
        for (let left = count; left > 0; left -= 1) all.leave(client);
      }
      sessions.delete(worker);
    },
  };
}
