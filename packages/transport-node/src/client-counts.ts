/**
 * How many connections each client has. It is all that has to be known together where several processes serve: what
 * counts for them can stand in its place.
 */
export interface ClientCounts {
  /** One more, unless the client has so many already; then false. */
  enter(client: string, maximum: number): boolean;
  /** One that has entered has gone. */
  leave(client: string): void;
}

/** Counts for this process. */
export function createClientCounts(): ClientCounts {
  const counts = new Map<string, number>();
  return {
    enter(client, maximum) {
      const count = counts.get(client) ?? 0;
      if (count >= maximum) return false;
      counts.set(client, count + 1);
      return true;
    },
    leave(client) {
      const count = counts.get(client) ?? 0;
      if (count > 1) counts.set(client, count - 1);
      else counts.delete(client);
    },
  };
}
