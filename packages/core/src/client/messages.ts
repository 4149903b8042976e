/**
 * All that goes into a client session and all that comes out of it.
 */
import type { TransitionRecord } from '../chart/transition-record.js';
import type { RemoteProtocolError } from '../errors.js';
import type { MailParameters } from '../extensions/parameters.js';
import type { ForwardPath, ReversePath } from '../wire/path.js';
import type { Reply } from '../wire/reply.js';

/** What to deliver: the envelope of one mail transaction. */
export interface ClientEnvelope {
  readonly reversePath: ReversePath;
  /**
   * Sent where the server offers the service extension that defines them, left out elsewhere. They declare, and
   * change nothing of what is sent: octets above 127 go out as they are, also to a server that does not offer
   * 8BITMIME (RFC 6152 §3 would have the message encoded anew, which is not a session's work); and `size` is not
   * compared with the SIZE that the server offers: its own 552 decides (RFC 1870 §6.1).
   */
  readonly parameters?: MailParameters;
  /** One forward-path at least. */
  readonly recipients: readonly ForwardPath[];
}

/** What goes in. `now` is in monotonic milliseconds, from any origin; it must never decrease. */
export type ClientInput =
  /** The server's bytes. The session keeps views into them: do not write into the array afterwards. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly now: number }
  /** The server will send nothing more. */
  | { readonly type: 'eof'; readonly now: number }
  /** The connection is gone both ways. */
  | { readonly type: 'lost'; readonly now: number }
  /** `nextDeadline()` has passed. Harmless when none has. */
  | { readonly type: 'timeout'; readonly now: number }
  /** Begin a mail transaction. Allowed behind the event `ready`, and from then on behind each `done`. */
  | { readonly type: 'send'; readonly envelope: ClientEnvelope; readonly now: number }
  /** A piece of the message. Allowed after `mailDataWanted` until `endOfMailData`. */
  | { readonly type: 'mailData'; readonly bytes: Uint8Array; readonly now: number }
  /** The message is complete: sends the final dot. From here until its reply the outcome is unknown. */
  | { readonly type: 'endOfMailData'; readonly now: number }
  /** End the session by QUIT. Allowed where `send` is. */
  | { readonly type: 'quit'; readonly now: number };

/** What the server offered in reply to the last EHLO or HELO. */
export interface ServerOffer {
  /** The command that it answered. */
  readonly verb: 'EHLO' | 'HELO';
  /** The name by which the server calls itself. */
  readonly name: string;
  /** EHLO keyword in upper case → its parameters as one string, empty if it has none. Empty after HELO. */
  readonly keywords: ReadonlyMap<string, string>;
}

/**
 * Where in the dialogue something was decided: at the reply to a command (`hello` is EHLO or HELO), in
 * `message` from the 354 to the reply to the final dot, in `ready` while nothing was awaited.
 */
export type Phase = 'greeting' | 'hello' | 'ready' | 'mail' | 'rcpt' | 'data' | 'message' | 'reset' | 'quit';

/** Why a session ended other than by QUIT and its 221. In the phase `quit` no message depends on it. */
export type SessionFailure =
  /**
   * The server will not serve us: its reply refused the connection, EHLO, HELO, RSET or QUIT, or was 421; or it
   * refused a message that was not yet complete, which leaves no way to go on.
   */
  | { readonly kind: 'refused'; readonly phase: Phase; readonly reply: Reply }
  /** The server did not reply in time, or the application handed in no mail data (RFC 5321 §4.5.3.2). */
  | { readonly kind: 'timeout'; readonly phase: Phase }
  /** The connection was lost, or the server closed it. */
  | { readonly kind: 'lost'; readonly phase: Phase }
  /** The server broke the protocol. */
  | { readonly kind: 'protocol'; readonly phase: Phase; readonly error: RemoteProtocolError };

/** What became of the message for one recipient. */
export type Verdict =
  /** The server took responsibility (2yz to the final dot). */
  | { readonly verdict: 'delivered'; readonly phase: 'message'; readonly reply: Reply }
  /** The server refused for good (5yz, but for 552 to RCPT). */
  | { readonly verdict: 'rejected'; readonly phase: Phase; readonly reply: Reply }
  /**
   * Not delivered now: a 4yz reply, 552 to RCPT (RFC 5321 §4.5.3.1.10), or the session failed before the
   * final dot. Try again later.
   */
  | { readonly verdict: 'deferred'; readonly phase: Phase; readonly reply: Reply }
  | { readonly verdict: 'deferred'; readonly phase: Phase; readonly failure: SessionFailure }
  /** The session failed after the final dot and before its reply: perhaps delivered (RFC 1047). */
  | { readonly verdict: 'unknown'; readonly phase: 'message'; readonly failure: SessionFailure };

/** What happened, for the application. */
export type ClientEvent =
  /** The server greeted us with 220. */
  | { readonly type: 'greeting'; readonly reply: Reply }
  /** The session is open: `send` or `quit` may follow. Comes once. */
  | { readonly type: 'ready'; readonly offer: ServerOffer }
  /** The server's reply to one RCPT command; `index` counts the envelope's recipients from 0. */
  | { readonly type: 'recipient'; readonly index: number; readonly reply: Reply }
  /** The server awaits the message: `mailData` and at last `endOfMailData` must follow. */
  | { readonly type: 'mailDataWanted' }
  /**
   * The mail transaction is over; a verdict for each recipient of the envelope, in its order. Once for each
   * `send`. The next `send` or `quit` may follow, unless the session failed: `failed` is then the next event.
   */
  | { readonly type: 'done'; readonly verdicts: readonly Verdict[] }
  /** The session ended other than by QUIT. `done` came before, if a transaction was under way. */
  | { readonly type: 'failed'; readonly failure: SessionFailure };

/** What comes out of `poll()`, one at a time. */
export type ClientOutput =
  /** Send these bytes. */
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  | { readonly type: 'event'; readonly event: ClientEvent }
  /** Send what was written, then end the sending side; keep handing in what the server sends until `closed`. */
  | { readonly type: 'close' }
  /** The session is over, and takes no more input: release the connection. */
  | { readonly type: 'closed' }
  /** A step of the chart, when `trace` is on. */
  | ({ readonly type: 'transition' } & TransitionRecord);
