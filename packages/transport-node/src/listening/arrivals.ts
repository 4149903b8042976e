/**
 * Connections that have no session yet: their PROXY header, or their TLS handshake, is under way. They cost as much as
 * sessions, and whoever says nothing stays for as long as the time-out allows. So there is a limit, and beyond it room
 * is made by those who take most of it: the oldest arrival of the client that has most gives way. A thousand silent
 * connections of one client then shut nobody out but each other.
 */

/** One connection on its way. */
interface Arrival {
  readonly client: string;
  readonly giveWay: () => void;
}

export class Arrivals {
  readonly #maximum: number;
  /** By client, the oldest first. */
  readonly #arrivals = new Map<string, Set<Arrival>>();
  #size = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * @param client under what it is counted; undefined: it is not
   * @param giveWay called if it is to make room, and not after it has left
   * @returns what says that it has left: it arrived, or is gone
   */
  enter(client: string | undefined, giveWay: () => void): () => void {
    if (client === undefined) return () => {};
    const arrival = { client, giveWay };
    const others = this.#arrivals.get(client);
    if (others === undefined) this.#arrivals.set(client, new Set([arrival]));
    else others.add(arrival);
    this.#size += 1;
    if (this.#size > this.#maximum) this.#makeRoom();
    return () => this.#leave(arrival);
  }

  #leave(arrival: Arrival): void {
    const ofClient = this.#arrivals.get(arrival.client);
    if (!ofClient?.delete(arrival)) return;
    this.#size -= 1;
    if (ofClient.size === 0) this.#arrivals.delete(arrival.client);
  }

  #makeRoom(): void {
    let most: Set<Arrival> = new Set();
    for (const ofClient of this.#arrivals.values()) if (ofClient.size > most.size) most = ofClient;
    const [oldest] = most;
    if (oldest === undefined) return;
    this.#leave(oldest);
    oldest.giveWay();
  }
}
