/**
 * What the client chart is told, and what it asks of the session. `chart.ts` says which of it means what, where.
 */
import type { Severity } from '../../wire/replies/reply.js';
import type { SessionFailure } from '../envelope/outcomes.js';

/** The leaf states, as `ClientSession.state` gives them. */
export type ClientState =
  | 'session.greeting'
  | 'session.identifying'
  | 'session.fallingBack'
  | 'session.startingTls'
  | 'session.securing'
  | 'session.authentication.preparing'
  | 'session.authentication.responding'
  | 'session.substituting'
  | 'session.forwarding'
  | 'session.ready'
  | 'session.inquiring'
  | 'session.transaction.mailing'
  | 'session.transaction.addressing'
  | 'session.transaction.initiating'
  | 'session.transaction.sending'
  | 'session.transaction.chunking'
  | 'session.transaction.holding'
  | 'session.transaction.draining'
  | 'session.transaction.concluding'
  | 'session.transaction.abandoned'
  | 'session.transaction.terminating'
  | 'session.transaction.delivering'
  | 'session.resetting'
  | 'session.quitting'
  | 'refused'
  | 'cancelled'
  | 'closing'
  | 'closed';

/** What of the negotiation is wanted and may be had, as the session sees it. The chart knows what was done already. */
export interface Negotiable {
  readonly tls: 'established' | 'offered' | 'notOffered';
  /** `withheld`: the credentials must not be shown to whoever may be listening. */
  readonly authentication: 'unwanted' | 'possible' | 'notOffered' | 'withheld';
  readonly xclient: 'unwanted' | 'possible' | 'notOffered';
  readonly xforward: 'unwanted' | 'possible' | 'notOffered';
}

/**
 * What is wrong or special with a reply, by its text. `plaintextBehind`: octets stand behind the reply to STARTTLS.
 * In a SASL exchange, `initialResponseAwaited`: the initial response did not fit into the AUTH command;
 * `malformedChallenge`; `unproven`: the server says that all is well, and has not heard or not proven what the mechanism
 * asks of it.
 */
export type Finding = 'plaintextBehind' | 'initialResponseAwaited' | 'malformedChallenge' | 'unproven';

/** A whole reply of the server, as the chart sees it. */
export interface ReplyEvent {
  /** 221 and 421 end the session, and so are events of their own. */
  readonly type: `reply.${Severity | 221 | 421}`;
  readonly code: number;
  /** The next command of the mail transaction is already on its way. */
  readonly writtenAhead: boolean;
  /** Where the reply leads on in the negotiation. */
  readonly negotiable?: Negotiable | undefined;
  readonly finding?: Finding | undefined;
}

/** What the chart is told. */
export type ClientChartEvent =
  | ReplyEvent
  /**
   * `recipients`: how many RCPTs may be sent. `chunks`: how many chunks may be in flight at once; 0: the message goes by
   * DATA.
   */
  | { readonly type: 'send'; readonly recipients: number; readonly chunks: number }
  /** A chunk was written that is not the last. */
  | { readonly type: 'chunk' }
  /** `abandon`: what the application handed in cannot be sent as mail data. */
  | { readonly type: 'endOfMailData' | 'abandon' | 'inquire' | 'quit' }
  | { readonly type: 'tlsEstablished' | 'tlsFailed' }
  /** The host computed what the SASL mechanism had asked for. */
  | { readonly type: 'computed' }
  /** The SASL mechanism has its next response, or none any more. */
  | { readonly type: 'respond' }
  /** `begun`: AUTH was sent. */
  | { readonly type: 'cancel'; readonly begun: boolean }
  /** `protocolError`: the server's octets do not make up a reply. */
  | { readonly type: 'peerClosed' | 'connectionLost' | 'protocolError' };

/** The lines that are the same all through a session. `hello` is EHLO, or LHLO with LMTP (RFC 2033 §4.1). */
export type FixedLine = 'hello' | 'HELO' | 'STARTTLS' | 'cancel' | 'RSET' | 'QUIT';

/** What may be missing on the way to `ready`, by its EHLO keyword. */
export type NegotiatedKeyword = Extract<SessionFailure, { readonly kind: 'notOffered' }>['keyword'];

export type FailParameters =
  | { readonly kind: Exclude<SessionFailure['kind'], 'notOffered'> }
  | { readonly kind: 'notOffered'; readonly keyword: NegotiatedKeyword };

/** What the chart asks of the session. */
export type ClientAction =
  | { readonly type: 'write'; readonly params: { readonly command: FixedLine } }
  /** Write the next commands of the mail transaction: one, or as many as may be in flight. */
  | { readonly type: 'proceed'; readonly params: undefined }
  | { readonly type: 'announceGreeting'; readonly params: undefined }
  /** The connection is to be protected from here on; what the server offered so far is void. */
  | { readonly type: 'upgradeTls'; readonly params: undefined }
  /** Begin the SASL exchange, or take it on with what came from the server or from the host. */
  | { readonly type: 'prepareResponse'; readonly params: undefined }
  | { readonly type: 'writeResponse'; readonly params: undefined }
  /** The server let us in. */
  | { readonly type: 'acknowledge'; readonly params: undefined }
  | { readonly type: 'writeXclient' | 'writeXforward'; readonly params: undefined }
  /** Announce that the session is open. */
  | { readonly type: 'introduce'; readonly params: undefined }
  | { readonly type: 'writeInquiry'; readonly params: undefined }
  /** The reply answers the inquiry. */
  | { readonly type: 'announceAnswer'; readonly params: undefined }
  /** The reply is that to the next RCPT. */
  | { readonly type: 'answerRecipient'; readonly params: undefined }
  /** The reply refuses the message for all recipients that are still undecided; no command of it follows. */
  | { readonly type: 'refuse'; readonly params: undefined }
  /** The reply takes the message for all recipients that are still undecided. */
  | { readonly type: 'deliver'; readonly params: undefined }
  /** The reply is the verdict for the next recipient that is still undecided. */
  | { readonly type: 'decideRecipient'; readonly params: undefined }
  | { readonly type: 'wantMailData'; readonly params: undefined }
  | { readonly type: 'writeChunk'; readonly params: undefined }
  | { readonly type: 'writeEndOfMailData'; readonly params: undefined }
  /** The mail transaction is over: announce its verdicts. */
  | { readonly type: 'settle'; readonly params: undefined }
  /** The session failed: decide and `settle` a mail transaction that is under way, then announce it. */
  | { readonly type: 'fail'; readonly params: FailParameters }
  | { readonly type: 'close'; readonly params: undefined }
  | { readonly type: 'closed'; readonly params: undefined };
