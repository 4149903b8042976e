/**
 * All that goes into a server session and all that comes out of it.
 */
import type { TransitionRecord } from '../chart/transition-record.js';
import type { MailParameters, RcptParameters } from '../extensions/parameters.js';
import type { ForwardPath, ReversePath } from '../wire/path.js';
import type { Reply } from '../wire/reply.js';

/** One accepted recipient of a mail transaction. */
export interface Recipient {
  readonly forwardPath: ForwardPath;
  readonly parameters: RcptParameters;
}

/** The envelope of a mail transaction (RFC 5321 §2.3.1). */
export interface Envelope {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  /** The recipients accepted so far, in the order of their RCPT commands. */
  readonly recipients: readonly Recipient[];
}

/** How the client introduced itself. */
export interface Hello {
  readonly verb: 'EHLO' | 'HELO';
  /** The domain or address literal that it gave, as it was given: unverified. */
  readonly name: string;
}

/** A question for the application. Answer it by `handle({ type: 'answer', … })`. */
export type Question =
  /** Someone connected. Accept: 220. Reject: 554, then only QUIT; with a 421 reply the session ends. */
  | { readonly kind: 'connect' }
  /** EHLO or HELO. Accept: 250 with the service extensions. Reject: 550, all else stays as it was. */
  | { readonly kind: 'hello'; readonly hello: Hello }
  /** MAIL. Accept: 250 2.1.0. Reject: 550 5.7.1. */
  | { readonly kind: 'mail'; readonly reversePath: ReversePath; readonly parameters: MailParameters }
  /** RCPT. Accept: 250 2.1.5. Reject: 550 5.7.1; the mail transaction goes on. */
  | {
      readonly kind: 'rcpt';
      readonly forwardPath: ForwardPath;
      readonly parameters: RcptParameters;
      readonly envelope: Envelope;
    }
  /** DATA. Accept: 354, `mailData` outputs follow. Reject: 554 5.7.1; the mail transaction is over. */
  | { readonly kind: 'data'; readonly envelope: Envelope }
  /**
   * The mail data is complete. Accept only what is safely kept: the 250 makes it yours (RFC 5321 §4.2.5).
   * Reject: 554 5.3.0. `size` counts octets after transparency was undone.
   */
  | { readonly kind: 'message'; readonly envelope: Envelope; readonly size: number }
  /** VRFY. Accept: 252 2.5.0. Reject: 550 5.1.1. */
  | { readonly kind: 'verify'; readonly argument: string }
  /**
   * EXPN. Accept: 252 2.5.0, which expands nothing (RFC 5321 §4.3.2); a 250 needs a reply of your own, with a
   * mailbox on each line (§3.5.2). Reject: 502 5.5.1.
   */
  | { readonly kind: 'expand'; readonly argument: string }
  /** HELP. Accept: 214 2.0.0. Reject: 502 5.5.1. */
  | { readonly kind: 'help'; readonly argument: string };

/**
 * The application's answer to the open question. A `reply` replaces the default text and code; its code must
 * agree with the decision: 2yz to accept, but 354 and no other to accept DATA (RFC 5321 §4.3.2), 4yz or 5yz to
 * reject. A 421 ends the session.
 */
export interface Answer {
  readonly decision: 'accept' | 'reject';
  readonly reply?: Reply;
}

/** What goes in. `now` is in monotonic milliseconds, from any origin; it must never decrease. */
export type ServerInput =
  /** The peer's bytes. The session keeps views into them: do not write into the array afterwards. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly now: number }
  /** The peer will send nothing more; replies may still reach it. */
  | { readonly type: 'eof'; readonly now: number }
  /** The connection is gone both ways. */
  | { readonly type: 'lost'; readonly now: number }
  /** `nextDeadline()` has passed. Harmless when none has. */
  | { readonly type: 'timeout'; readonly now: number }
  /** The answer to the open question. */
  | ({ readonly type: 'answer'; readonly now: number } & Answer)
  /** The service is going down: a waiting session gets 421 4.3.2, a message under way may finish. */
  | { readonly type: 'shutdown'; readonly now: number };

/** Why mail data that had begun to arrive will not be followed by a `message` question. */
export type AbandonReason =
  /** Its lines are not well-formed: a bare CR, bare LF or NUL, or a line over the limit. */
  | 'malformed'
  /** It exceeds the size limit. */
  | 'tooLarge'
  /** The session ended first. */
  | 'closed';

/** What comes out of `poll()`, one at a time. */
export type ServerOutput =
  /** Send these bytes. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** Decide. Until the answer is given, nothing more of the peer's commands is looked at. */
  | { readonly type: 'ask'; readonly question: Question }
  /**
   * A piece of the mail data, transparency undone. Usually a view into the bytes given to `handle()`: copy it
   * to keep it past the next write into that array.
   */
  | { readonly type: 'mailData'; readonly bytes: Uint8Array }
  /** Discard what came as `mailData` of this mail transaction. */
  | { readonly type: 'abandonMailData'; readonly reason: AbandonReason }
  /** Send what was written, then end the sending side; keep handing in what the peer sends until `closed`. */
  | { readonly type: 'close' }
  /** The session is over, and takes no more input: release the connection. */
  | { readonly type: 'closed' }
  /** A step of the chart, when `trace` is on. */
  | ({ readonly type: 'transition' } & TransitionRecord);
