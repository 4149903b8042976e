/**
 * Replies that wait to leave together: a client that pipelines gets the replies to its batch in one write, which
 * is one packet rather than many (RFC 2920 §3.2).
 */
import { concatenate } from '../wire/octets.js';

/** A batch leaves when it has grown to this many octets, however many commands are still to come. */
const MAXIMUM_OCTETS = 16_384;

export class ReplyBatch {
  #replies: Uint8Array[] = [];
  #octets = 0;

  get isFull(): boolean {
    return this.#octets >= MAXIMUM_OCTETS;
  }

  add(reply: Uint8Array): void {
    this.#replies.push(reply);
    this.#octets += reply.length;
  }

  /** Empties the batch; undefined if nothing was in it. */
  take(): Uint8Array | undefined {
    const replies = this.#replies;
    const [only] = replies;
    if (only === undefined) return undefined;
    const octets = replies.length === 1 ? only : concatenate(replies, this.#octets);
    this.#replies = [];
    this.#octets = 0;
    return octets;
  }
}
