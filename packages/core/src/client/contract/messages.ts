/**
 * All that goes into a client session and all that comes out of it.
 */
import type { Computation } from '../../sasl/exchange/exchange.js';
import type { TlsInformation } from '../../tls.js';
import type { Command } from '../../wire/commands/command.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { EnvelopeInput } from '../envelope/envelope.js';
import type { SessionFailure, Verdict } from '../envelope/outcomes.js';
import type { ClientProtocolEvent } from '../observing/protocol-events.js';

/** A question to the server beside all mail transactions. */
export type ClientInquiry =
  | Extract<Command, { readonly verb: 'VRFY' | 'EXPN' }>
  | { readonly verb: 'ETRN'; readonly argument: string }
  | { readonly verb: 'HELP' | 'NOOP'; readonly argument?: string }
  /** `name`: a verb of one of the option `extensions`. */
  | { readonly verb: 'extension'; readonly name: string; readonly argument?: string };

/** What goes in. `now` is in monotonic milliseconds, from any origin; it must never decrease. */
export type ClientInput =
  /** The server's bytes. The session keeps views into them: do not write into the array afterwards. */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly now: number }
  /** The server will send nothing more. */
  | { readonly type: 'eof'; readonly now: number }
  /** The connection is gone both ways, for this reason if one is known: it tells why a TLS handshake failed. */
  | { readonly type: 'lost'; readonly error?: Error; readonly now: number }
  /** `nextDeadline()` has passed. Harmless when none has. */
  | { readonly type: 'timeout'; readonly now: number }
  /** Begin a mail transaction. Allowed behind the event `ready`, and from then on behind each `done`. */
  | { readonly type: 'send'; readonly envelope: EnvelopeInput; readonly now: number }
  /** Ask something. Allowed where `send` is; the event `answered` follows. */
  | { readonly type: 'inquire'; readonly command: ClientInquiry; readonly now: number }
  /** A piece of the message. Allowed after `mailDataWanted` until `endOfMailData`, while `wantsMailData`. */
  | { readonly type: 'mailData'; readonly bytes: Uint8Array; readonly now: number }
  /** The message is complete: sends its end. From here until the reply to that the outcome is unknown. */
  | { readonly type: 'endOfMailData'; readonly now: number }
  /** End the session by QUIT. Allowed where `send` is. */
  | { readonly type: 'quit'; readonly now: number }
  /** The TLS handshake that `upgradeTls` asked for is done; whether its certificate will do, the host decided. */
  | { readonly type: 'tlsEstablished'; readonly tls: TlsInformation; readonly now: number }
  /**
   * The TLS handshake failed, for this reason if one is known. The connection is of no use any more. For a host that
   * knows it while the connection still stands; one that hears of it by the loss of the connection hands in `lost`.
   */
  | { readonly type: 'tlsFailed'; readonly error?: Error; readonly now: number }
  /** The result of the computation that the last output `compute` asked for. */
  | { readonly type: 'computed'; readonly result: Uint8Array; readonly now: number };

/** What the server offered in reply to the last EHLO, LHLO or HELO. */
export interface ServerOffer {
  /** The command that it answered. */
  readonly verb: 'EHLO' | 'LHLO' | 'HELO';
  /** The name by which the server calls itself. */
  readonly name: string;
  /**
   * EHLO keyword in upper case → its parameters as one string, empty if it has none. Empty after HELO; without TLS
   * there is no REQUIRETLS, whatever the server says (RFC 8689 §2).
   */
  readonly keywords: ReadonlyMap<string, string>;
  /** The TLS that protects the connection; undefined: none. */
  readonly tls: TlsInformation | undefined;
  /** The SASL mechanism by which the server let us in; undefined: we did not authenticate. */
  readonly authenticatedBy: string | undefined;
}

/** What happened, for the application. */
export type ClientEvent =
  /** The server greeted us with 220. */
  | { readonly type: 'greeting'; readonly reply: Reply }
  /** The session is open, all that was to be negotiated is: `send`, `inquire` or `quit` may follow. Comes once. */
  | { readonly type: 'ready'; readonly offer: ServerOffer }
  /** The server's reply to one RCPT command; `index` counts the envelope's recipients from 0. */
  | { readonly type: 'recipient'; readonly index: number; readonly reply: Reply }
  /** The reply to what `inquire` asked, whether or not it refuses. `send`, `inquire` or `quit` may follow. */
  | { readonly type: 'answered'; readonly reply: Reply }
  /**
   * The message is to be handed in: `mailData` and at last `endOfMailData` must follow. Where it goes in chunks, the
   * session takes no more of it while too many are in flight, or once one was refused (`wantsMailData` is false);
   * this event then comes again, or `done` does.
   */
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
  /** Send these bytes. `redacted`: they hold a secret, and this is what may be recorded in their place. */
  | { readonly type: 'write'; readonly bytes: Uint8Array; readonly redacted?: Uint8Array }
  | { readonly type: 'event'; readonly event: ClientEvent }
  /** Send what was written, then begin the TLS handshake; `tlsEstablished`, `tlsFailed` or `lost` must follow. */
  | { readonly type: 'upgradeTls' }
  /** Compute this for a SASL mechanism; `computed` must follow. */
  | { readonly type: 'compute'; readonly computation: Computation }
  /** Send what was written, then end the sending side; keep handing in what the server sends until `closed`. */
  | { readonly type: 'close' }
  /** The session is over, and takes no more input: release the connection. */
  | { readonly type: 'closed' }
  /** Something happened, when `observe` is on. */
  | { readonly type: 'observed'; readonly event: ClientProtocolEvent };
