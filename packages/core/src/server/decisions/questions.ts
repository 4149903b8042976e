/** What a session asks the application, what of it the application is told with that, and what it answers. */
import type { MailParameters, RcptParameters } from '../../extensions/contract/parameters.js';
import type {
  AuthenticatedIdentity,
  AuthenticationAttempt,
  AuthenticationGrant,
  StoredCredentials,
  TokenError,
} from '../../sasl/exchange/exchange.js';
import type { ForwardPath, ReversePath } from '../../wire/commands/path.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Withheld } from './withholding.js';

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
  readonly verb: 'EHLO' | 'HELO' | 'LHLO';
  /** The domain or address literal that it gave, as it was given: unverified. */
  readonly name: string;
}

/** A question for the application. Answer it by `handle({ type: 'answer', … })`. */
export type Question =
  /** Someone connected. Accept: 220. Reject: 554, then only QUIT; with a 421 reply the session ends. */
  | { readonly kind: 'connect' }
  /** EHLO or HELO. Accept: 250 with the service extensions, without those in `withhold`. Reject: 550, all else stays as it was. */
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
  /**
   * DATA, or the first BDAT. Accept: 354 to DATA, nothing to BDAT; `mailData` outputs follow. Reject: 554 5.7.1; the
   * mail transaction is over.
   */
  | { readonly kind: 'data'; readonly envelope: Envelope }
  /**
   * The mail data is complete. Accept only what is safely kept: the 250 makes it yours (RFC 5321 §4.2.5).
   * Reject: 554 5.3.0. `size` counts octets after transparency was undone. In LMTP the answer may have a reply for
   * each recipient (RFC 2033 §4.2).
   */
  | { readonly kind: 'message'; readonly envelope: Envelope; readonly size: number }
  /**
   * VRFY. Accept: 252 2.5.0. Reject: 550 5.1.1. Without `utf8` an answer that is not ASCII is not given: the client is
   * told to ask with SMTPUTF8 (RFC 6531 §3.7.4.2). So it is with `expand`.
   */
  | { readonly kind: 'verify'; readonly argument: string; readonly utf8?: true }
  /**
   * EXPN. Accept: 252 2.5.0, which expands nothing (RFC 5321 §4.3.2); a 250 needs a reply of your own, with a
   * mailbox on each line (§3.5.2). Reject: 502 5.5.1.
   */
  | { readonly kind: 'expand'; readonly argument: string; readonly utf8?: true }
  /** HELP. Accept: 214 2.0.0. Reject: 502 5.5.1. */
  | { readonly kind: 'help'; readonly argument: string }
  /** STARTTLS. Accept if TLS can be had: 220, and `upgradeTls` follows. Reject: 454 4.7.0. */
  | { readonly kind: 'startTls' }
  /**
   * AUTH: what is kept of this user's password. Accept with `credentials`. Reject where there is no such user: the
   * exchange goes on, so that nobody can tell users from others, and fails. A reject with a reply of its own (454
   * 4.7.0, for example) ends the exchange with that.
   */
  | { readonly kind: 'credentials'; readonly mechanism: string; readonly username: string }
  /**
   * AUTH: let them in? Accept: 235 2.7.0. Reject: 535 5.7.8. The attempt says what is to be checked. Who asks to act for
   * somebody else is refused in spite of an accept, unless its `grant` says so.
   */
  | { readonly kind: 'authenticate'; readonly attempt: AuthenticationAttempt }
  /** ETRN. Accept: 250 2.0.0. Reject: 459 4.7.1. `argument` is the node, with its `@` or `#` (RFC 1985 §5.3). */
  | { readonly kind: 'etrn'; readonly argument: string }
  /** A verb of an embedder's extension. Accept: 250 2.0.0. Reject: 502 5.5.1. */
  | { readonly kind: 'extension'; readonly verb: string; readonly argument: string };

/**
 * The application's answer to the open question. A `reply` replaces the default text and code; its code must
 * agree with the decision: 2yz to accept, but no other than 354 to accept DATA (RFC 5321 §4.3.2), 220 STARTTLS
 * (RFC 3207 §4) and 235 AUTH (RFC 4954 §4); 4yz or 5yz to reject. A 421 ends the session.
 */
export interface Answer {
  readonly decision: 'accept' | 'reject';
  readonly reply?: Reply;
  /** To accept the question `credentials`, and only then. */
  readonly credentials?: StoredCredentials;
  /** With an accept of the question `authenticate`: who they are, and for whom they may act. */
  readonly grant?: AuthenticationGrant;
  /** With a reject of the question `authenticate`: why, for a client of XOAUTH2 or OAUTHBEARER. */
  readonly tokenError?: TokenError;
  /**
   * With an accept of the question `hello`: what this client is not offered until its next EHLO, and refused if it uses
   * it, as if the server had none.
   */
  readonly withhold?: Withheld;
  /**
   * In LMTP, to the question `message`: a reply for each recipient of the envelope, in its order, 2yz, 4yz (but 421)
   * or 5yz each, in the place of `reply` and whatever the decision (RFC 2033 §4.2).
   */
  readonly recipientReplies?: readonly Reply[];
}

/**
 * How an AUTH exchange ended. `refused`: by 535, because a proof was wrong or the application would not have it.
 * `unavailable`: by 454, because nothing could be decided.
 */
export type AuthenticationDecision = {
  readonly mechanism: string;
  /** The name that the client gave, prepared; absent where the exchange did not come to one. It may be made up. */
  readonly username?: string;
} & (
  | { readonly outcome: 'accepted'; readonly identity: AuthenticatedIdentity }
  | { readonly outcome: 'refused' | 'unavailable' }
);

/** Why mail data that had begun to arrive will not be followed by a `message` question. */
export type AbandonReason =
  /** Its lines are not well-formed: a bare CR, bare LF or NUL, or a line over the limit. */
  | 'malformed'
  /** It exceeds the size limit. */
  | 'tooLarge'
  /** The client dropped the mail transaction between two chunks, by RSET or EHLO (RFC 3030 §2). */
  | 'reset'
  /** The session ended first. */
  | 'closed';
