/** What becomes of a message for each recipient, and of a session that fails. */
import type { RemoteProtocolError } from '../../errors.js';
import type { MechanismName } from '../../sasl/exchange/exchange.js';
import type { Reply } from '../../wire/replies/reply.js';

/**
 * Where in the dialogue something was decided: at the reply to a command (`hello` is EHLO, LHLO or HELO), in
 * `startTls` also in the handshake and in `auth` in the whole exchange, in `message` from the 354 or the last RCPT to
 * the reply to the message's end, in `ready` while nothing was awaited.
 */
export type Phase =
  | 'greeting'
  | 'hello'
  | 'startTls'
  | 'auth'
  | 'xclient'
  | 'xforward'
  | 'ready'
  | 'inquiry'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'message'
  | 'reset'
  | 'quit';

/** Why a session ended other than by QUIT and its 221. In the phase `quit` no message depends on it. */
export type SessionFailure =
  /**
   * The server will not serve us: its reply refused the connection, EHLO, HELO, AUTH, XCLIENT, RSET or QUIT, or
   * STARTTLS where TLS is required, or was 421; or it refused a message that was not yet complete, which leaves no
   * way to go on.
   */
  | {
      readonly kind: 'refused';
      readonly phase: Phase;
      readonly reply: Reply;
      /** In phase `auth`: by which one the client wanted to authenticate. */
      readonly mechanism?: string;
    }
  /** The server did not reply in time, or the application handed in no mail data (RFC 5321 §4.5.3.2). */
  | {
      readonly kind: 'timeout';
      readonly phase: Phase;
      readonly mayAwaitTls?: true;
      readonly unfinishedReply?: string;
    }
  /** The connection was lost, or the server closed it. */
  | {
      readonly kind: 'lost';
      readonly phase: Phase;
      /**
       * What had come of a reply that has no end, in quotes and cut to 200 characters: it says why, and decides nothing.
       * With `timeout` likewise.
       */
      readonly unfinishedReply?: string;
      /**
       * Not one octet came on a connection without TLS, for ten seconds at least: so does a server that expects TLS
       * from the first octet on (RFC 8314 §3). With `timeout` likewise.
       */
      readonly mayAwaitTls?: true;
    }
  /** The server broke the protocol. */
  | { readonly kind: 'protocol'; readonly phase: Phase; readonly error: RemoteProtocolError }
  /** The TLS handshake failed. */
  | { readonly kind: 'tls'; readonly phase: 'startTls'; readonly error: Error }
  /** The server does not offer what the options want. */
  | {
      readonly kind: 'notOffered';
      readonly phase: 'startTls' | 'xclient';
      /** The EHLO keyword. */
      readonly keyword: 'STARTTLS' | 'XCLIENT';
    }
  /** It offers no mechanism that the credentials fit and the options allow. */
  | {
      readonly kind: 'notOffered';
      readonly phase: 'auth';
      readonly keyword: 'AUTH';
      /** The mechanisms that it offers, in upper case, 32 at most; none: it does not offer AUTH. */
      readonly offered: readonly string[];
      /** Those of them that the credentials fit, but `authentication.mechanisms` leaves out. */
      readonly switchedOff: readonly MechanismName[];
    }
  /** The credentials were not shown; the reason is for people. */
  | { readonly kind: 'withheld'; readonly phase: 'auth'; readonly reason: string }
  /** The exchange was given up by our side, which does not believe the server; the reason is for people. */
  | { readonly kind: 'authentication'; readonly phase: 'auth'; readonly reason: string };

/**
 * Why a recipient was not sent: the mail transaction had as many recipients as the server takes (RCPTMAX), or the
 * session as many domains of recipients (RCPTDOMAINMAX, RFC 9422 §4).
 */
export interface RecipientLimit {
  readonly kind: 'limit';
  readonly phase: 'rcpt';
  readonly keyword: 'RCPTMAX' | 'RCPTDOMAINMAX';
  /** The number that the server gave. */
  readonly limit: number;
}

/** What became of the message for one recipient. A verdict may be taken apart: what it does not have is undefined. */
export type Verdict =
  /** The server took responsibility (2yz to the final dot or to the last chunk). */
  | {
      readonly verdict: 'delivered';
      readonly phase: 'message';
      readonly reply: Reply;
      readonly failure?: undefined;
    }
  /** The server refused for good (5yz, except 552 to RCPT). */
  | {
      readonly verdict: 'rejected';
      readonly phase: Phase;
      readonly reply: Reply;
      readonly failure?: undefined;
    }
  /**
   * Not delivered now: a 4yz reply, 552 to RCPT (RFC 5321 §4.5.3.1.10), or the session failed before the
   * message's end was sent. Try again later; with a `limit` at once, in another mail transaction or session.
   */
  | {
      readonly verdict: 'deferred';
      readonly phase: Phase;
      readonly reply: Reply;
      /**
       * The reply was a 421 before the message's end was sent: it says that the session is over, and nothing of the
       * mail (RFC 5321 §3.8). Another server may be tried at once, as where there is a failure without a reply.
       */
      readonly failure?: Extract<SessionFailure, { readonly kind: 'refused' }>;
    }
  | {
      readonly verdict: 'deferred';
      readonly phase: Phase;
      readonly reply?: undefined;
      readonly failure: SessionFailure | RecipientLimit;
    }
  /** The session failed after the message's end and before the reply to it: perhaps delivered (RFC 1047). */
  | {
      readonly verdict: 'unknown';
      readonly phase: 'message';
      readonly reply?: undefined;
      readonly failure: SessionFailure;
    };
