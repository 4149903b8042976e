/**
 * All that goes into a server session and all that comes out of it.
 */
import type { Computation } from '../../sasl/exchange/exchange.js';
import type { TlsInformation } from '../../tls.js';
import type { ForeignProtocol } from '../../wire/foreign-protocol.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { AbandonReason, Answer, AuthenticationDecision, Question } from '../decisions/questions.js';
import type { ServerProtocolEvent } from '../observing/protocol-events.js';

/** What goes in. `now` is in monotonic milliseconds, from any origin; it must never decrease. */
export type ServerInput =
  /**
   * The peer's bytes. The session keeps views into them: do not write into the array afterwards, unless `copyHeld()` was
   * called when `poll()` had nothing more to give.
   */
  | { readonly type: 'bytes'; readonly bytes: Uint8Array; readonly now: number }
  /** The peer will send nothing more; replies may still reach it. */
  | { readonly type: 'eof'; readonly now: number }
  /** The connection is gone both ways. */
  | { readonly type: 'lost'; readonly now: number }
  /** `nextDeadline()` has passed. Harmless when none has. */
  | { readonly type: 'timeout'; readonly now: number }
  /** The answer to the open question. */
  | ({ readonly type: 'answer'; readonly now: number } & Answer)
  /** The TLS handshake that `upgradeTls` asked for stands; the client's next octets are protected. */
  | { readonly type: 'tlsEstablished'; readonly tls: TlsInformation; readonly now: number }
  /** The TLS handshake failed: the session is over. */
  | { readonly type: 'tlsFailed'; readonly now: number }
  /**
   * The result of the computation that the last `compute` asked for; undefined if it failed: 454 4.7.0. It counts for
   * nothing if the session closes meanwhile.
   */
  | { readonly type: 'computed'; readonly result: Uint8Array | undefined; readonly now: number }
  /**
   * The host stops reading from the client, because the application does not keep up with the mail data. Until
   * `readOn`, the client's deadlines stand still, and the application's, `decision`, runs.
   */
  | { readonly type: 'holdBack'; readonly now: number }
  /** The host reads from the client again. */
  | { readonly type: 'readOn'; readonly now: number }
  /** The service is going down: a waiting session gets 421 4.3.2, a message under way may finish. */
  | {
      readonly type: 'shutdown';
      /** Nor may a message that still arrives: it is given up, and gets 421 4.3.2. */
      readonly abandoning?: boolean;
      /**
       * What the client is told: 421, or 5yz where it need not come back.
       * @default 421 4.3.2
       */
      readonly reply?: Reply;
      readonly now: number;
    };

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
  /**
   * Send what was written, then begin the TLS handshake as the server (RFC 3207 §4), and hand in `tlsEstablished` or
   * `tlsFailed`. Hand in as `bytes` only what comes out of TLS; what came in the clear before, but was not handed in
   * yet, is an attack: close the connection then.
   */
  | { readonly type: 'upgradeTls' }
  /** Compute this, and hand in `computed`. */
  | { readonly type: 'compute'; readonly computation: Computation }
  /** An AUTH exchange is over, and this was decided: nothing to be done, but perhaps to be counted. */
  | { readonly type: 'authenticationDecided'; readonly decision: AuthenticationDecision }
  /**
   * Send what was written, then end the sending side; keep handing in what the peer sends until `closed`.
   * `foreignProtocol`: what the peer spoke in the place of SMTP, for which the session ends.
   */
  | { readonly type: 'close'; readonly foreignProtocol?: ForeignProtocol }
  /** The session is over, and takes no more input: release the connection. */
  | { readonly type: 'closed' }
  /** Something happened, when `observe` is on. */
  | { readonly type: 'observed'; readonly event: ServerProtocolEvent };
