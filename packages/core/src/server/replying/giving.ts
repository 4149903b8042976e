/**
 * What a session gives to its host: replies in the words in which they are given, among its other outputs.
 *
 * - A reply is given other words if somebody has them (`rephrase`), joins the batch (`replying.ts`) and leaves with it.
 * - Outputs are taken in the order in which they were put. Replies given so far leave before any other output; only a
 *   question overtakes them, for its reply may leave with them (RFC 2920 §3.2).
 * - While the client is made to wait (`client-wait.ts`), no reply leaves.
 */
import type { Command } from '../../wire/commands/command.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ServerOutput } from '../contract/messages.js';
import type { ResolvedServerOptions } from '../contract/options.js';
import type { Envelope, Question } from '../decisions/questions.js';
import { defaultReplies, introduction, type ReplyTitle, titleOf } from '../decisions/replies.js';
import type { Introductions, Offer } from './introductions.js';
import { inquiryReply, messageReplies, octetsOf, Replying } from './replying.js';

/** From this first digit on, a reply refuses (RFC 5321 §4.2.1). */
const FOUR = 0x34;

/** Told of each reply as it goes to the client, and by what it goes if it is one of ours. */
interface RepliesObserver {
  replies(octets: Uint8Array, title: ReplyTitle | undefined): void;
}

/** The session, as far as its replies depend on it. */
export interface Giver {
  readonly options: ResolvedServerOptions;
  readonly introductions: Introductions;
  /** The client is made to wait, see `client-wait.ts`. */
  readonly isWaiting: boolean;
  /** Undefined: nobody observes. */
  readonly observing: RepliesObserver | undefined;
  /** A reply was held, until the octets after a refused BDAT were read away. */
  replyHeld(): void;
  /** A refusal is to be given after the delay. */
  delayRefusal(): void;
}

export class Giving {
  /** The batch of replies. */
  readonly replying = new Replying();
  /** Of the last command: by it and its title a reply is given other words. */
  verb: Command['verb'] | undefined;
  readonly #giver: Giver;
  /** The last reply, as it was before it was rephrased or completed: by what it goes. */
  #lastReply: Reply | undefined;
  /** Outputs that one step gave, and that are yet to be taken: the first of them, and those after it. */
  #output: ServerOutput | undefined;
  /** Made for one that comes while the first is there, and gone once all were taken. */
  #moreOutputs: ServerOutput[] | undefined;

  constructor(giver: Giver) {
    this.#giver = giver;
  }

  /** Puts an output after those that are there. */
  put(output: ServerOutput): void {
    if (this.#output === undefined && this.#moreOutputs === undefined) {
      this.#output = output;
      return;
    }
    this.#moreOutputs ??= [];
    this.#moreOutputs.push(output);
  }

  /** The output that was put first. */
  take(): ServerOutput | undefined {
    const output = this.#output;
    if (output !== undefined) {
      this.#output = undefined;
      return output;
    }
    const next = this.#moreOutputs?.shift();
    if (next === undefined) this.#moreOutputs = undefined;
    return next;
  }

  /** Puts an output after the replies given so far, or a question before them. */
  emit(output: ServerOutput): void {
    if (output.type !== 'ask') this.flush();
    this.put(output);
  }

  /** The batch leaves, unless the client is made to wait. */
  flush(): void {
    if (this.#giver.isWaiting) return;
    const bytes = this.replying.take();
    if (bytes !== undefined) this.put({ type: 'write', bytes });
  }

  /** @param titled by which one the title goes */
  reply(reply: Reply, titled = reply): void {
    this.#give(octetsOf(this.#said(reply, titled)));
  }

  /** The greeting, or with an offer the reply to EHLO, HELO or LHLO. */
  introduce(reply: Reply, offer: Offer | undefined): void {
    const { accept: ours } = offer === undefined ? defaultReplies.connect : defaultReplies.hello;
    const stored = offer === undefined ? this.#giver.introductions.greeting : offer.octets;
    if (stored !== undefined && reply === ours && this.#giver.options.rephrase === undefined) {
      this.#lastReply = reply;
      this.#give(stored);
    } else {
      this.reply(introduction(this.#giver.options.hostname, reply, offer?.keywords ?? []), reply);
    }
  }

  /** The reply to VRFY or EXPN. */
  replyToInquiry(question: Extract<Question, { readonly kind: 'verify' | 'expand' }>, reply: Reply): void {
    this.#give(inquiryReply(question, this.#said(reply)));
  }

  /**
   * The reply to a message waits for none to the commands that come after it: the client is to know at once.
   * @param each in LMTP, for each recipient what the reply is if it is another one
   */
  replyToMessage({ recipients }: Envelope, reply: Reply, each: readonly Reply[] = []): void {
    this.replying.doNotWait();
    const { protocol, refusalDelay } = this.#giver.options;
    if (protocol === 'smtp') {
      this.reply(each[0] ?? reply);
      return;
    }
    const replyTo = (index: number) => each[index] ?? reply;
    this.#give(
      messageReplies(recipients, (index) => this.#said(replyTo(index))),
      refusalDelay > 0 && recipients.some((_, index) => replyTo(index).code >= 400),
    );
  }

  /** The replies to a message that fares alike for all of its recipients. */
  eachOf({ recipients }: Envelope, reply: Reply): readonly Reply[] {
    return this.#giver.options.protocol === 'lmtp' ? recipients.map(() => reply) : [reply];
  }

  /** Gives the reply that was held, if nothing is left for which it would wait. */
  giveHeld(): void {
    const held = this.replying.takeHeld();
    if (held !== undefined) this.#give(held);
  }

  /** The reply in the words in which it is given. */
  #said(reply: Reply, titled = reply): Reply {
    this.#lastReply = titled;
    const { rephrase } = this.#giver.options;
    if (rephrase === undefined) return reply;
    const said = rephrase(reply, { title: titleOf(titled), verb: this.verb });
    if (Math.floor(said.code / 100) === Math.floor(reply.code / 100)) return said;
    throw new RangeError(
      `rephrase made ${said.code} of the reply ${reply.code}: it may change the words, but not what they mean (RFC 5321 §4.2.1)`,
    );
  }

  /**
   * Gives a reply as it stands on the wire.
   * @param refuses it is a reply 4yz or 5yz, or one of those to a message is
   */
  #give(reply: Uint8Array, refuses = (reply[0] ?? 0) >= FOUR): void {
    const leaves = this.replying.add(reply);
    if (this.replying.isHeld) {
      this.#giver.replyHeld();
      return;
    }
    this.#giver.observing?.replies(reply, this.#lastReply && titleOf(this.#lastReply));
    if (refuses && this.#giver.options.refusalDelay > 0) this.#giver.delayRefusal();
    else if (leaves) this.flush();
  }
}
