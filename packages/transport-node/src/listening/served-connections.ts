/**
 * The connections of a server that are served now, to be looked at while they come and go.
 *
 * Not a `Set` of the language: V8 gives a Set that is filled and emptied over and over a new table each time, and the old
 * ones refer to those that followed. As soon as one of them is old, all later ones outlive their time, and with them each
 * connection that ever stood there when a table was given up: two thirds of them, until the whole heap is collected.
 */
import type { ServerConnection } from '@sansmtp/transport';

/** Where a connection stands among the others; nobody but the list changes it. */
export interface Served {
  readonly connection: ServerConnection;
  place: number;
}

export class ServedConnections implements ReadonlySet<ServerConnection> {
  /** In no order. */
  readonly #all: Served[] = [];

  get size(): number {
    return this.#all.length;
  }

  /** @returns by what it is deleted */
  add(connection: ServerConnection): Served {
    const served = { connection, place: this.#all.length };
    this.#all.push(served);
    return served;
  }

  /** To be called once. */
  delete({ place }: Served): void {
    const last = this.#all.pop();
    if (last === undefined || last.place === place) return;
    this.#all[place] = last;
    last.place = place;
  }

  has(connection: ServerConnection): boolean {
    return this.#all.some((served) => served.connection === connection);
  }

  /** Those that are there now: some may end while somebody goes through them. */
  values() {
    return this.#all.map(({ connection }) => connection).values();
  }

  keys() {
    return this.values();
  }

  entries() {
    return this.#all
      .map(({ connection }): [ServerConnection, ServerConnection] => [connection, connection])
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
}
