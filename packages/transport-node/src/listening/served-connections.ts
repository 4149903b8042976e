/**
 * The connections of a server that are served now, to be looked at while they come and go.
 *
 * Not a `Set` of the language: V8 gives a Set that is filled and emptied over and over a new table each time, and the old
 * ones refer to those that followed. As soon as one of them is old, all later ones outlive their time, and with them each
 * connection that ever stood there when a table was given up: two thirds of them, until the whole heap is collected.
 */
import type { ServerConnection, SessionHost } from '@sansmtp/transport';
import type { ConnectionLimiter } from './connection-limiter.js';

/** A connection, and where it stands among the others; nobody but the list changes that. */
export interface Served {
  readonly connection: ServerConnection | undefined;
  place: number;
}

/** `place` of what stands in no list. */
export const NOWHERE = -1;

export class ServedConnections implements ReadonlySet<ServerConnection> {
  /** In no order. */
  readonly #all: Served[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(served: Served): void {
    served.place = this.#all.length;
    this.#all.push(served);
  }

  /** Harmless when it stands nowhere. */
  delete(served: Served): void {
    const { place } = served;
    served.place = NOWHERE;
    if (place === NOWHERE) return;
    const last = this.#all.pop();
    if (last === undefined || last === served) return;
    this.#all[place] = last;
    last.place = place;
  }

  has(connection: ServerConnection): boolean {
    return this.#list().includes(connection);
  }

  /** Those that are there now: some may end while somebody goes through them. */
  values() {
    return this.#list().values();
  }

  keys() {
    return this.values();
  }

  entries() {
    return this.#list()
      .map((connection): [ServerConnection, ServerConnection] => [connection, connection])
      .values();
  }

  [Symbol.iterator]() {
    return this.values();
  }

  forEach(
    callback: (value: ServerConnection, key: ServerConnection, set: ReadonlySet<ServerConnection>) => void,
    thisArgument?: unknown,
  ): void {
    for (const connection of this) callback.call(thisArgument, connection, connection, this);
  }

  #list(): ServerConnection[] {
    return this.#all.flatMap(({ connection }) => connection ?? []);
  }
}

/** The stay of one connection: in the list, and under its limit, from its beginning to its end. */
export class Stay implements Served, SessionHost {
  connection: ServerConnection | undefined;
  place = NOWHERE;
  readonly #connections: ServedConnections;
  readonly #clients: ConnectionLimiter | undefined;
  readonly #client: string | undefined;
  #isOver = false;

  /** @param clients where it has entered as `client`; undefined: nowhere */
  constructor(connections: ServedConnections, clients?: ConnectionLimiter, client?: string) {
    this.#connections = connections;
    this.#clients = clients;
    this.#client = client;
  }

  /** @returns false: it is over already, for a stream may throw at what it is told first, and be dropped for it */
  begin(connection: ServerConnection): boolean {
    if (this.#isOver) return false;
    this.connection = connection;
    this.#connections.add(this);
    return true;
  }

  closed(): void {
    this.#isOver = true;
    this.#connections.delete(this);
    this.#clients?.leave(this.#client);
  }
}
