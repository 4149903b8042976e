/**
 * Replies on their way to the client.
 *
 * - Replies to a pipelined batch leave together (RFC 2920 §3.2): one write, which is one packet rather than many, and
 *   one piece of memory where the client does not read. A reply waits for those to the commands that are at hand after
 *   its own; only that to a message, and the greeting, wait for none.
 * - A batch leaves when it has grown to `MAXIMUM_OCTETS`, or to `MAXIMUM_REPLIES`, however many commands are still to
 *   come.
 * - The reply to a BDAT that is refused waits until the octets after it were read away: they are no commands, and a
 *   client that reads the reply may stop sending them (RFC 3030 §2).
 * - A message is answered once, in LMTP for each of its recipients (RFC 2033 §4.2).
 */
import { concatenate } from '../../wire/octets.js';
import { formatReply, type Reply, severity } from '../../wire/replies/reply.js';
import type { Question } from '../decisions/questions.js';
import { defaultReplies, replies } from '../decisions/replies.js';

const MAXIMUM_OCTETS = 16_384;
const MAXIMUM_REPLIES = 128;

export class Replying {
  /** The batch: most have one reply, which needs no array. */
  #first: Uint8Array | undefined;
  /** Those after it, made for the first. */
  #more: Uint8Array[] | undefined;
  #octets = 0;
  /** The next reply may wait for those after it. */
  #mayWait = false;
  /** Octets after the last BDAT that nobody has taken yet. */
  #octetsBehind = 0;
  /** The reply that waits until those were read away. */
  #held: Uint8Array | undefined;

  /** The next reply is to a command, after which so many octets come that are no commands. */
  expect(octetsBehind: number): void {
    this.#mayWait = true;
    this.#octetsBehind = octetsBehind;
  }

  /** The next reply waits for none after it. */
  doNotWait(): void {
    this.#mayWait = false;
  }

  /** The octets after BDAT are for others, or for nobody: no reply waits for them. */
  releaseOctets(): void {
    this.#octetsBehind = 0;
  }

  /** A reply waits for octets to be read away. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Nobody is left to be replied to. */
  forgetHeld(): void {
    this.#held = undefined;
  }

  /** Takes a reply as it stands on the wire. True: the batch is to leave now. */
  add(reply: Uint8Array): boolean {
    if (this.#octetsBehind > 0) {
      this.#held = reply;
      return false;
    }
    if (this.#first === undefined) this.#first = reply;
    else {
      this.#more ??= [];
      this.#more.push(reply);
    }
    this.#octets += reply.length;
    const count = 1 + (this.#more?.length ?? 0);
    const isComplete = !this.#mayWait || this.#octets >= MAXIMUM_OCTETS || count >= MAXIMUM_REPLIES;
    this.#mayWait = false;
    return isComplete;
  }

  /** Of so many octets at hand, how many are read away. */
  readAway(available: number): number {
    const octets = Math.min(available, this.#octetsBehind);
    this.#octetsBehind -= octets;
    return octets;
  }

  /** The reply that was held, if no octets are left for which it would wait: to be added again. */
  takeHeld(): Uint8Array | undefined {
    if (this.#octetsBehind > 0) return undefined;
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** Empties the batch; undefined if nothing was in it. */
  take(): Uint8Array | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const octets = this.#more === undefined ? first : concatenate([first, ...this.#more], this.#octets);
    this.#first = undefined;
    this.#more = undefined;
    this.#octets = 0;
    return octets;
  }
}

/** The server's own replies are written over and over: each is formatted once. */
const ownReplies = new Map<Reply, Uint8Array>(
  [
    ...Object.values(replies),
    ...Object.values(defaultReplies).flatMap(({ accept, reject }) => [accept, reject]),
  ].map((reply) => [reply, formatReply(reply)]),
);

/** A reply as it stands on the wire. */
export function octetsOf(reply: Reply): Uint8Array {
  return ownReplies.get(reply) ?? formatReply(reply);
}

/**
 * The reply to VRFY or EXPN, as it stands on the wire: in UTF-8 where the client has asked for it. Without it, an
 * address outside ASCII would become somebody else's (RFC 6531 §3.7.4.2).
 */
export function inquiryReply(
  { kind, utf8 }: Extract<Question, { readonly kind: 'verify' | 'expand' }>,
  reply: Reply,
): Uint8Array {
  if (utf8) return formatReply(reply, { utf8 });
  if (severity(reply.code) === 'success' && reply.lines.some((line) => !/^[\0-\x7f]*$/.test(line))) {
    return octetsOf(kind === 'verify' ? replies.verificationNeedsUtf8 : replies.expansionNeedsUtf8);
  }
  return octetsOf(reply);
}

/** The replies to a message in LMTP, one for each recipient, as they stand on the wire. */
export function messageReplies(
  recipients: readonly unknown[],
  replyTo: (index: number) => Reply,
): Uint8Array {
  return concatenate(recipients.map((_, index) => octetsOf(replyTo(index))));
}
