/**
 * What goes to the server. The last of a message waits for its end, so that both go out in one write: a write costs more than all
 * else about a small message.
 */
import { concatenate } from '@sansmtp/core';
import type { Observation } from '../observing/observation.js';
import type { ClientSessionEvent } from '../observing/observer.js';
import type { ByteStream } from '../streams/byte-stream.js';
import { MAXIMUM_CUT_OCTETS, OctetSlab } from '../streams/octet-slab.js';
import type { ConnectionInformation } from '../streams/session-information.js';
import { MAXIMUM_PIECE_OCTETS } from './message-sending.js';

/**
 * V8 has arrays of as many octets in its heap, and has to move one out of it before the system can read it. A copy costs
 * less; of a secret, none is made.
 */
const MAXIMUM_HEAP_OCTETS = 64;

export class OutgoingOctets {
  readonly #stream: ByteStream;
  /** Told how many octets the stream was given. */
  readonly #observation: Observation<ClientSessionEvent, ConnectionInformation> | undefined;
  readonly #slab = new OctetSlab();
  /** What was written and waits for the end of the message. */
  #held: Uint8Array | undefined;
  #octets = 0;
  /** The end of the message follows: what is written waits for it. */
  isHolding = false;
  /** The stream takes no more, until it drains. */
  isBlocked = false;

  constructor(
    stream: ByteStream,
    observation: Observation<ClientSessionEvent, ConnectionInformation> | undefined,
  ) {
    this.#stream = stream;
    this.#observation = observation;
  }

  /** Octets that the stream was given so far. */
  get octets(): number {
    return this.#octets;
  }

  write(bytes: Uint8Array, isSecret: boolean): void {
    if (this.#held !== undefined) this.#held = this.#joined(this.#held, bytes);
    else this.#held = bytes.length <= MAXIMUM_HEAP_OCTETS && !isSecret ? this.#slab.copy(bytes) : bytes;
    if (!this.isHolding || this.#held.length > MAXIMUM_PIECE_OCTETS) this.flush();
  }

  #joined(held: Uint8Array, bytes: Uint8Array): Uint8Array {
    return held.length + bytes.length > MAXIMUM_CUT_OCTETS
      ? concatenate([held, bytes])
      : this.#slab.copy(held, bytes);
  }

  /** Writes what waits. */
  flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#octets += held.length;
    this.#observation?.tell({ type: 'sent', length: held.length });
    if (!this.#stream.write(held)) this.isBlocked = true;
  }
}
