/**
 * How many sessions there may be at a time: of all clients together, and of each.
 */
import { checkNames } from '@sansmtp/core';
import { checkCount } from '../option-checks.js';

/** What of a server's limits a connection is beyond. */
export type ConnectionLimit = 'maximumConnections' | 'maximumConnectionsPerClient';

/** What `connectionLimiter` takes. */
export interface ConnectionLimiterOptions {
  /**
   * Sessions at a time, of all clients together.
   * @default 10000
   */
  readonly maximumConnections?: number;
}

/**
 * Counts the sessions that are served. Its keys are those of `clientNetwork()`; one of your own may count for several
 * processes, and take its time to ask.
 */
export interface ConnectionLimiter {
  /**
   * A client has connected. Gives the limit that is reached, which the client is told; or undefined: it has entered, and
   * is served. The server calls `leave()` once for each that has entered.
   * @param client undefined for one that has no limit of its own
   * @param maximumOfClient sessions that this client may have
   */
  enter(
    client: string | undefined,
    maximumOfClient: number,
  ): ConnectionLimit | undefined | Promise<ConnectionLimit | undefined>;
  /** A session that has entered has ended. */
  leave(client: string | undefined): void;
}

/** A limiter that answers at once. */
export interface CountingLimiter extends ConnectionLimiter {
  enter(client: string | undefined, maximumOfClient: number): ConnectionLimit | undefined;
}

/**
 * Makes a limiter, for the option `connectionLimiter` of `startMailServer`.
 * @throws {RangeError} `maximumConnections` is out of its range
 * @throws {TypeError} an option is not known
 */
export function connectionLimiter(options: ConnectionLimiterOptions = {}): CountingLimiter {
  checkNames('The option', options, ['maximumConnections']);
  const { maximumConnections = 10_000 } = options;
  checkCount('maximumConnections', maximumConnections);
  const counts = new Map<string, number>();
  let all = 0;
  return {
    enter(client, maximumOfClient) {
      if (all >= maximumConnections) return 'maximumConnections';
      if (client !== undefined) {
        const count = counts.get(client) ?? 0;
        if (count >= maximumOfClient) return 'maximumConnectionsPerClient';
        counts.set(client, count + 1);
      }
      all += 1;
      return undefined;
    },
    leave(client) {
      all -= 1;
      if (client === undefined) return;
      const count = counts.get(client) ?? 0;
      if (count > 1) counts.set(client, count - 1);
      else counts.delete(client);
    },
  };
}
