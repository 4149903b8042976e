/**
 * What goes to the peer. While the stream has no room, replies wait, joined to one; where too many octets wait, the driver
 * neither reads nor goes on, for the replies to one chunk of commands may be many times as long as the chunk.
 */
import type { ByteStream } from '../streams/byte-stream.js';
import { Gathering } from '../streams/gathering.js';
import type { Watching } from './watching.js';

/** Octets of replies that may wait for the peer to take them. */
const MAXIMUM_UNSENT_OCTETS = 65_536;

export class Outgoing {
  readonly #stream: ByteStream;
  /** Told how many octets the stream was given. */
  readonly #watching: Watching;
  #octets = 0;
  /** Undefined while the stream has room. */
  #unsent: Gathering | undefined;

  constructor(stream: ByteStream, watching: Watching) {
    this.#stream = stream;
    this.#watching = watching;
  }

  /** Octets that the stream was given so far. */
  get octets(): number {
    return this.#octets;
  }

  /** The peer does not take its replies. */
  get isCongested(): boolean {
    return this.#unsent !== undefined && this.#unsent.length > MAXIMUM_UNSENT_OCTETS;
  }

  write(bytes: Uint8Array): void {
    if (this.#unsent !== undefined) {
      this.#unsent.add(bytes);
      return;
    }
    this.#octets += bytes.length;
    if (this.#watching.wants('sent')) this.#watching.tell({ type: 'sent', length: bytes.length });
    if (!this.#stream.write(bytes)) this.#unsent = new Gathering();
  }

  /** Writes what waits: the stream has room again, or nothing will be joined to it any more. */
  flush(): void {
    const unsent = this.#unsent;
    this.#unsent = undefined;
    if (unsent !== undefined && unsent.length > 0) this.write(unsent.take());
  }
}
