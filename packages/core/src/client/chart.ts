/**
 * The client's side of an SMTP session: which reply is awaited, and what it leads to.
 *
 * Theory of operation
 * -------------------
 * The server speaks first. From then on every command of ours gets one reply, in the order of the commands
 * (RFC 5321 §2.1, §4.3). A state of this chart is one of four kinds:
 *
 * - waiting for a reply: `greeting`, `identifying`, `fallingBack`, `startingTls`, `responding`, `substituting`,
 *   `forwarding`, `inquiring`, `mailing`, `addressing`, `initiating`, `holding`, `draining`, `terminating`,
 *   `delivering`, `resetting`, `quitting`, `refused`, `cancelled`. Each has a deadline of its own
 *   (RFC 5321 §4.5.3.2);
 * - waiting for the host: `securing` for the TLS handshake, `preparing` for what a SASL mechanism computes;
 * - waiting for the application: `ready`, without a deadline; `sending`, `chunking` and `abandoned`, whose
 *   deadline `dataBlock` begins anew with each piece of the message. In these the server may refuse the message
 *   early;
 * - waiting for the end: `closing`, until the server closes too or `linger` is over. Then `closed`.
 *
 * `reply.success` and the like is a reply by its first digit, which is all that RFC 5321 §4.2 asks a client
 * to know; `reply.421` ends the session wherever it comes. A reply that a state does not name is a mismatch,
 * and the session ends: from there on nobody could say which command the next reply belongs to.
 *
 * Between the reply to EHLO and `ready` stands what both ends negotiate, in this order: STARTTLS, then XCLIENT,
 * then AUTH, then XFORWARD. Which of it is wanted and may be had, the session tells as the `negotiable` that comes with
 * each of these replies; STARTTLS and XCLIENT lead back to EHLO, because what was offered before them is void;
 * for the same reason AUTH comes after XCLIENT, with which a server forgets who was authenticated.
 *
 * Pipelining (RFC 2920) adds no states. Commands may be written ahead, but their replies still come one by
 * one, and the chart stands at the command whose reply comes next. The chart asks the session to `proceed`
 * with the commands of the mail transaction; how many of them that writes, the session knows, and it tells
 * with each reply whether the command behind the answered one was `writtenAhead`.
 *
 * A message goes by DATA through `initiating` and `sending`, or in chunks through `chunking` (RFC 3030); then
 * `holding` waits until another chunk may be in flight, and `draining`, once the message was refused, for the
 * replies to all that were. Both ways end in `terminating`. With LMTP (RFC 2033) `delivering` follows, where the
 * replies come for the recipients behind the first.
 *
 * Invariants
 * ----------
 * 1. The chart rules the order of things. Commands, verdicts and texts are the session's.
 * 2. Every `send` leads to exactly one `settle`, before `ready` is reached again, or to a `fail`.
 * 3. Whatever leaves `session` unasked does so by exactly one `fail`. Outside of `session` nothing fails.
 * 4. A message is ended in one place: on entering `terminating`, by the final dot or by the chunk that is the last.
 *    No other way leads out of `sending` but those by which the connection ends, and none out of `chunking` and
 *    `holding` but those and RSET; and a server must not deliver what has no end (RFC 5321 §4.1.1.10,
 *    RFC 3030 §2).
 * 5. `ready` means that the server holds no mail transaction: one that it may hold is dropped in `resetting`.
 * 6. Mail data does not pass through here. The session encodes it and says `chunk` for each chunk that it writes,
 *    and `endOfMailData`, once.
 * 7. STARTTLS, AUTH and XCLIENT are each sent once at most. Where TLS is required, nothing but EHLO, LHLO, HELO,
 *    STARTTLS and QUIT is sent in the clear.
 *
 * What stands below: the vocabulary (states, events, context, guards, actions), the transitions that more than one
 * state has, and the chart itself.
 */
import { assign, setup } from 'xstate';
import type { Severity } from '../wire/reply.js';
import type { SessionFailure } from './messages.js';

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
 * `malformedChallenge`; `unproven`: the server says that all is well, and has not proven what the mechanism asks of it.
 */
export type Finding = 'plaintextBehind' | 'initialResponseAwaited' | 'malformedChallenge' | 'unproven';

/** A whole reply of the server, as the chart sees it. */
export interface ReplyEvent {
  readonly type: `reply.${Severity | 421}`;
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
type NegotiatedKeyword = Extract<SessionFailure, { readonly kind: 'notOffered' }>['keyword'];

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

/** Deadlines in milliseconds. */
export interface ClientTimeouts {
  /** For the greeting (RFC 5321 §4.5.3.2.1). */
  readonly greeting: number;
  /** For the reply to EHLO, and again for that to HELO. RFC 5321 names none: that of MAIL. */
  readonly hello: number;
  /** For the reply to STARTTLS. RFC 3207 names none: that of MAIL. */
  readonly startTls: number;
  /** For the TLS handshake. */
  readonly handshake: number;
  /** For each reply of a SASL exchange. RFC 4954 names none: that of MAIL. */
  readonly authentication: number;
  /** For each computation that a SASL mechanism asks of the host. */
  readonly computation: number;
  /** For the reply to XCLIENT, and again for that to XFORWARD. */
  readonly proxying: number;
  /** For the reply to an inquiry. RFC 5321 names none: that of MAIL. */
  readonly inquiry: number;
  /** For the reply to MAIL (RFC 5321 §4.5.3.2.2). */
  readonly mail: number;
  /** For the reply to each RCPT (RFC 5321 §4.5.3.2.3). */
  readonly rcpt: number;
  /** For the 354 to DATA (RFC 5321 §4.5.3.2.4). */
  readonly dataInitiation: number;
  /** For each piece of the message to be handed in, once the one before was sent (RFC 5321 §4.5.3.2.5). */
  readonly dataBlock: number;
  /** For the reply to a chunk that must come before anything else is sent. RFC 3030 names none: as `dataBlock`. */
  readonly chunk: number;
  /**
   * For the reply to the final dot or the last chunk, and for each further one with LMTP (RFC 5321 §4.5.3.2.6). A
   * client that waits for less sends the message again while the server delivers it: RFC 1047 is about nothing else.
   */
  readonly dataTermination: number;
  /** For the reply to RSET. RFC 5321 names none: that of MAIL. */
  readonly reset: number;
  /** For the 221 to QUIT. RFC 5321 names none, and no message depends on it. */
  readonly quit: number;
  /** For the server to close after we did. */
  readonly linger: number;
}

export interface ClientChartInput {
  readonly timeouts: ClientTimeouts;
  readonly protocol: 'smtp' | 'lmtp';
  readonly startTls: 'never' | 'opportunistic' | 'required';
}

/** All from `opened` on is about the last mail transaction. */
export interface ClientContext extends ClientChartInput {
  /** STARTTLS was sent. */
  readonly upgraded: boolean;
  readonly authenticated: boolean;
  /** XCLIENT was accepted. */
  readonly substituted: boolean;
  /** MAIL was accepted. */
  readonly opened: boolean;
  /** Recipients whose RCPT has no reply. */
  readonly unanswered: number;
  /** RCPTs accepted; with LMTP, those of them whose reply to the message has not come. */
  readonly accepted: number;
  /** How many chunks may be in flight at once; 0: the message goes by DATA. */
  readonly chunks: number;
  /** Chunks without a reply. */
  readonly inFlight: number;
}

const negotiableIn = (event: ClientChartEvent): Negotiable | undefined =>
  'negotiable' in event ? event.negotiable : undefined;
const findingIn = (event: ClientChartEvent): Finding | undefined =>
  'finding' in event ? event.finding : undefined;
const isWrittenAhead = (event: ClientChartEvent): boolean => 'writtenAhead' in event && event.writtenAhead;

/** Asked at the reply to the last RCPT, which is not counted yet: MAIL was accepted, and a recipient too. */
const mailIsAccepted = ({ opened, accepted }: ClientContext, event: ClientChartEvent): boolean =>
  opened && (accepted > 0 || event.type === 'reply.success');

const vocabulary = setup({
  types: {
    context: {} as ClientContext,
    events: {} as ClientChartEvent,
    input: {} as ClientChartInput,
  },
  guards: {
    // RFC 5321 §3.2, §4.1.4: the server does not know EHLO. Other refusals are not of the command but of us.
    // RFC 2033 §4.1: LMTP has no other greeting than LHLO.
    heloMayBeTried: ({ context, event }) =>
      context.protocol === 'smtp' && 'code' in event && [500, 501, 502, 504].includes(event.code),
    plaintextBehind: ({ event }) => findingIn(event) === 'plaintextBehind',
    initialResponseAwaited: ({ event }) => findingIn(event) === 'initialResponseAwaited',
    malformedChallenge: ({ event }) => findingIn(event) === 'malformedChallenge',
    unproven: ({ event }) => findingIn(event) === 'unproven',
    startTlsFollows: ({ context, event }) =>
      context.startTls !== 'never' && !context.upgraded && negotiableIn(event)?.tls === 'offered',
    tlsIsMissing: ({ context, event }) =>
      context.startTls === 'required' && negotiableIn(event)?.tls !== 'established',
    authenticationFollows: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'possible',
    authenticationIsWithheld: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'withheld',
    authenticationIsMissing: ({ context, event }) =>
      !context.authenticated && negotiableIn(event)?.authentication === 'notOffered',
    xclientFollows: ({ context, event }) =>
      !context.substituted && negotiableIn(event)?.xclient === 'possible',
    xclientIsMissing: ({ context, event }) =>
      !context.substituted && negotiableIn(event)?.xclient === 'notOffered',
    xforwardFollows: ({ event }) => negotiableIn(event)?.xforward === 'possible',
    begun: ({ event }) => 'begun' in event && event.begun,
    recipientsMayBeSent: ({ event }) => event.type === 'send' && event.recipients > 0,
    opened: ({ context }) => context.opened,
    writtenAhead: ({ event }) => isWrittenAhead(event),
    recipientFollows: ({ context, event }) =>
      context.unanswered > 1 && (context.opened || isWrittenAhead(event)),
    chunksFollow: ({ context, event }) => context.chunks > 0 && mailIsAccepted(context, event),
    dataFollows: ({ context, event }) =>
      isWrittenAhead(event) || (context.chunks === 0 && mailIsAccepted(context, event)),
    recipientsAccepted: ({ context }) => context.opened && context.accepted > 0,
    // RFC 2033 §4.2: with LMTP nothing is answered for nobody, and DATA must have been refused.
    loneDotIsAnswered: ({ context }) => context.protocol === 'smtp',
    roomForChunk: ({ context }) => context.inFlight + 1 < context.chunks,
    chunksInFlight: ({ context }) => context.inFlight > 0,
    refusalIsDue: ({ context }) => context.chunks === 0 || context.inFlight > 0,
    furtherChunksInFlight: ({ context }) => context.inFlight > 1,
    furtherChunksInFlightWithLmtp: ({ context }) => context.inFlight > 1 && context.protocol === 'lmtp',
    furtherRecipients: ({ context }) => context.protocol === 'lmtp' && context.accepted > 1,
  },
  actions: {
    write: (_, _params: { readonly command: FixedLine }) => {},
    proceed: () => {},
    announceGreeting: () => {},
    upgradeTls: () => {},
    prepareResponse: () => {},
    writeResponse: () => {},
    acknowledge: () => {},
    writeXclient: () => {},
    writeXforward: () => {},
    introduce: () => {},
    writeInquiry: () => {},
    announceAnswer: () => {},
    answerRecipient: () => {},
    refuse: () => {},
    deliver: () => {},
    decideRecipient: () => {},
    wantMailData: () => {},
    writeChunk: () => {},
    writeEndOfMailData: () => {},
    settle: () => {},
    fail: (_, _params: FailParameters) => {},
    close: () => {},
    closed: () => {},
    markUpgraded: assign({ upgraded: true }),
    markAuthenticated: assign({ authenticated: true }),
    markSubstituted: assign({ substituted: true }),
    begin: assign(({ event }) => ({
      opened: false,
      unanswered: event.type === 'send' ? event.recipients : 0,
      accepted: 0,
      chunks: event.type === 'send' ? event.chunks : 0,
      inFlight: 0,
    })),
    markOpened: assign({ opened: true }),
    countAnswered: assign({ unanswered: ({ context }) => context.unanswered - 1 }),
    countAccepted: assign({ accepted: ({ context }) => context.accepted + 1 }),
    countDecided: assign({ accepted: ({ context }) => context.accepted - 1 }),
    countChunk: assign({ inFlight: ({ context }) => context.inFlight + 1 }),
    countLastChunk: assign({ inFlight: ({ context }) => context.inFlight + (context.chunks > 0 ? 1 : 0) }),
    countChunkAnswered: assign({ inFlight: ({ context }) => context.inFlight - 1 }),
  },
  delays: {
    greeting: ({ context }) => context.timeouts.greeting,
    hello: ({ context }) => context.timeouts.hello,
    startTls: ({ context }) => context.timeouts.startTls,
    handshake: ({ context }) => context.timeouts.handshake,
    authentication: ({ context }) => context.timeouts.authentication,
    computation: ({ context }) => context.timeouts.computation,
    proxying: ({ context }) => context.timeouts.proxying,
    inquiry: ({ context }) => context.timeouts.inquiry,
    mail: ({ context }) => context.timeouts.mail,
    rcpt: ({ context }) => context.timeouts.rcpt,
    dataInitiation: ({ context }) => context.timeouts.dataInitiation,
    dataBlock: ({ context }) => context.timeouts.dataBlock,
    chunk: ({ context }) => context.timeouts.chunk,
    dataTermination: ({ context }) => context.timeouts.dataTermination,
    reset: ({ context }) => context.timeouts.reset,
    quit: ({ context }) => context.timeouts.quit,
    linger: ({ context }) => context.timeouts.linger,
  },
});

const READY = '#client.session.ready';
const STARTING_TLS = '#client.session.startingTls';
const AUTHENTICATION = '#client.session.authentication';
const SUBSTITUTING = '#client.session.substituting';
const FORWARDING = '#client.session.forwarding';
const DRAINING = '#client.session.transaction.draining';
const RESETTING = '#client.session.resetting';
const REFUSED = '#client.refused';
const CANCELLED = '#client.cancelled';
const CLOSING = '#client.closing';
const CLOSED = '#client.closed';

const write = <const Command extends FixedLine>(command: Command) =>
  ({ type: 'write', params: { command } }) as const;
const fail = <const Kind extends SessionFailure['kind']>(kind: Kind) =>
  ({ type: 'fail', params: { kind } }) as const;
const notOffered = <const Keyword extends NegotiatedKeyword>(keyword: Keyword) =>
  ({ type: 'fail', params: { kind: 'notOffered', keyword } }) as const;

/** Nothing came in time. A server that is silent for so long is not asked for a farewell. */
const timedOut = <const Section extends string>(section: Section) =>
  ({ target: CLOSED, actions: fail('timeout'), description: section }) as const;

/** The server will not serve us: it is told QUIT, as RFC 5321 §3.1 has it. */
const refuseSession = <const Section extends string>(section: Section) =>
  ({ target: REFUSED, actions: fail('refused'), description: section }) as const;

/** The connection ended while something was still to be said. */
const lost = { target: CLOSED, actions: fail('lost'), description: 'RFC 5321 §4.1.1.10' } as const;

/** The connection ended once nothing was to be said any more: nothing fails. */
const ended = { target: CLOSED, description: 'RFC 5321 §4.1.1.10' } as const;

/** Octets that make up no reply, once nothing was to be said any more. */
const unreadable = { target: CLOSED, description: 'RFC 5321 §4.2' } as const;

/** The host's or the peer's TLS did not come to stand: nothing more can be said on this connection. */
const tlsFailed = { target: CLOSED, actions: fail('tls'), description: 'RFC 3207 §4.1' } as const;

/** Where the negotiation leads once authentication is settled. */
const afterAuthentication = [
  { guard: 'xforwardFollows', target: FORWARDING, description: 'RFC 5321 §2.2.2, Postfix XFORWARD_README' },
  { target: READY, actions: 'introduce', description: 'RFC 5321 §3.2, §4.1.1.1' },
] as const;

/** Where it leads once XCLIENT is settled. */
const afterXclient = [
  {
    guard: 'authenticationFollows',
    target: AUTHENTICATION,
    description: 'RFC 4954 §4',
  },
  {
    guard: 'authenticationIsWithheld',
    target: REFUSED,
    actions: fail('withheld'),
    description: 'RFC 4954 §4, §9: no credentials without TLS',
  },
  {
    guard: 'authenticationIsMissing',
    target: REFUSED,
    actions: notOffered('AUTH'),
    description: 'RFC 4954 §3: no mechanism in common',
  },
  ...afterAuthentication,
] as const;

/**
 * Where it leads once TLS is settled. To say whom one speaks for may decide what a server allows, so it is not left
 * out where XCLIENT is not offered; XFORWARD is for its log only.
 */
const afterTls = [
  {
    guard: 'xclientFollows',
    target: SUBSTITUTING,
    description: 'RFC 5321 §2.2.2, Postfix XCLIENT_README',
  },
  {
    guard: 'xclientIsMissing',
    target: REFUSED,
    actions: notOffered('XCLIENT'),
    description: 'RFC 5321 §2.2.1, Postfix XCLIENT_README',
  },
  ...afterXclient,
] as const;

/** Where the reply that accepts EHLO or HELO leads. */
const identified = [
  { guard: 'startTlsFollows', target: STARTING_TLS, description: 'RFC 3207 §4' },
  {
    guard: 'tlsIsMissing',
    target: REFUSED,
    actions: notOffered('STARTTLS'),
    description: 'RFC 3207 §4.1: the client is not willing to go on without TLS',
  },
  ...afterTls,
] as const;

const startTlsRefused = [
  {
    guard: 'tlsIsMissing',
    target: REFUSED,
    actions: fail('refused'),
    description: 'RFC 3207 §4.1: the client is not willing to go on without TLS',
  },
  ...afterTls,
] as const;

/** XFORWARD is for the server's log: mail goes on without it. */
const forwarded = {
  target: READY,
  actions: 'introduce',
  description: 'RFC 5321 §2.2.2, Postfix XFORWARD_README: it is for the log',
} as const;

const answered = {
  target: READY,
  actions: 'announceAnswer',
  description: 'RFC 5321 §3.5, §4.1.1.6 to §4.1.1.9',
} as const;

/** Where the reply to one RCPT leads. Before the last, to the next; `record` is what the reply amounts to. */
const recipientAnswered = <const Record extends readonly string[]>(...record: Record) =>
  [
    {
      guard: 'recipientFollows',
      target: 'addressing',
      reenter: true, // the wait for the next reply begins
      actions: record,
      description: 'RFC 5321 §3.3',
    },
    {
      guard: 'chunksFollow',
      target: 'chunking',
      actions: [...record, 'wantMailData'],
      description: 'RFC 3030 §2: instead of DATA',
    },
    { guard: 'dataFollows', target: 'initiating', actions: record, description: 'RFC 5321 §3.3' },
    {
      guard: 'opened',
      target: RESETTING,
      actions: record,
      description: 'RFC 5321 §3.3, §4.1.1.5: no recipient was accepted',
    },
    {
      target: READY,
      actions: [...record, 'settle'],
      description: 'RFC 5321 §3.3: MAIL was refused',
    },
  ] as const;

const recipientRefused = recipientAnswered('answerRecipient', 'countAnswered');

const mailRefused = [
  {
    guard: 'writtenAhead',
    target: 'addressing',
    actions: 'refuse',
    description: 'RFC 2920 §3.1: what was written ahead is still answered',
  },
  { target: READY, actions: ['refuse', 'settle'], description: 'RFC 5321 §3.3' },
] as const;

const dataRefused = [
  {
    guard: 'opened',
    target: RESETTING,
    actions: 'refuse',
    description: 'RFC 5321 §4.1.1.5, RFC 2920 §3.1: the envelope is still with the server',
  },
  { target: READY, actions: ['refuse', 'settle'], description: 'RFC 2920 §3.1: MAIL was refused' },
] as const;

/** One of the replies of LMTP to the message, of which another follows. */
const recipientDecided = {
  guard: 'furtherRecipients',
  target: 'delivering',
  reenter: true, // the wait for the next reply begins
  actions: ['decideRecipient', 'countDecided'],
  description: 'RFC 2033 §4.2, §4.3',
} as const;

const messageTaken = {
  target: READY,
  actions: ['deliver', 'settle'],
  description: 'RFC 5321 §4.1.1.4, §4.2.5',
} as const;

/** The reply to the final dot clears the server's buffers, whatever it says. */
const messageRefused = {
  target: READY,
  actions: ['refuse', 'settle'],
  description: 'RFC 5321 §4.1.1.4, §4.2.5',
} as const;

/**
 * The server refuses the message before it has all of it, and need not read the rest. The connection is closed
 * without a final dot: that would end a message which nobody takes, and its reply could not be told from this one.
 */
const refusedEarly = {
  target: CLOSING,
  actions: fail('refused'),
  description: 'RFC 5321 §4.2.1, §4.1.1.10: a message without its end is not delivered',
} as const;

/** In chunks a message is refused by the reply to one of them, and by nothing else. */
const abandonedRefused = { ...refusedEarly, guard: 'refusalIsDue' } as const;

/** A chunk is refused, and with it the message: no more of it is sent, and what was written is still answered. */
const refusedAmidChunks = {
  guard: 'furtherChunksInFlight',
  target: DRAINING,
  actions: ['refuse', 'countChunkAnswered'],
  description: 'RFC 3030 §2, RFC 2920 §3.1',
} as const;

const chunkRefused = [
  refusedAmidChunks,
  {
    guard: 'chunksInFlight',
    target: RESETTING,
    actions: ['refuse', 'countChunkAnswered'],
    description: 'RFC 3030 §2: the mail transaction has failed',
  },
] as const;

const drained = [
  {
    guard: 'furtherChunksInFlight',
    target: 'draining',
    reenter: true, // the wait for the next reply begins
    actions: 'countChunkAnswered',
    description: 'RFC 2920 §3.1',
  },
  { target: RESETTING, actions: 'countChunkAnswered', description: 'RFC 3030 §2, RFC 5321 §4.1.1.5' },
] as const;

/** Behind the end of the message, a 4yz or 5yz reply. */
const endRefused = [
  {
    // How many replies LMTP has for the last chunk behind a refused one, no RFC says.
    guard: 'furtherChunksInFlightWithLmtp',
    target: CLOSING,
    actions: fail('refused'),
    description: 'RFC 3030 §2, RFC 2033 §4.2',
  },
  refusedAmidChunks,
  recipientDecided,
  messageRefused,
] as const;

/** A reply to QUIT that is neither 221 nor 421: we close all the same. */
const quitRefused = { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §4.1.1.10' } as const;

export const clientMachine = vocabulary.createMachine({
  id: 'client',
  context: ({ input: { timeouts, protocol, startTls } }) => ({
    timeouts,
    protocol,
    startTls,
    upgraded: false,
    authenticated: false,
    substituted: false,
    opened: false,
    unanswered: 0,
    accepted: 0,
    chunks: 0,
    inFlight: 0,
  }),
  initial: 'session',
  states: {
    session: {
      initial: 'greeting',
      on: {
        'reply.421': { target: CLOSING, actions: fail('refused'), description: 'RFC 5321 §3.8, §4.2.3' },
        'reply.*': { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2, §4.3.2' },
        protocolError: { target: CLOSED, actions: fail('protocol'), description: 'RFC 5321 §4.2' },
        peerClosed: lost,
        connectionLost: lost,
      },
      states: {
        greeting: {
          description: 'The server speaks first.',
          after: { greeting: timedOut('RFC 5321 §4.5.3.2.1') },
          on: {
            'reply.success': {
              target: 'identifying',
              actions: 'announceGreeting',
              description: 'RFC 5321 §3.1, §4.3.1',
            },
            'reply.transient': refuseSession('RFC 5321 §3.1'),
            'reply.permanent': refuseSession('RFC 5321 §3.1'),
          },
        },

        identifying: {
          description: 'EHLO was sent, or LHLO with LMTP.',
          entry: write('hello'),
          after: { hello: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': identified,
            'reply.transient': refuseSession('RFC 5321 §4.1.1.1'),
            'reply.permanent': [
              { guard: 'heloMayBeTried', target: 'fallingBack', description: 'RFC 5321 §3.2, §4.1.4' },
              refuseSession('RFC 5321 §4.1.1.1'),
            ],
          },
        },

        fallingBack: {
          description: 'HELO was sent: the server does not know EHLO.',
          entry: write('HELO'),
          after: { hello: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': identified,
            'reply.transient': refuseSession('RFC 5321 §4.1.1.1'),
            'reply.permanent': refuseSession('RFC 5321 §4.1.1.1'),
          },
        },

        startingTls: {
          description: 'STARTTLS was sent.',
          entry: ['markUpgraded', write('STARTTLS')],
          after: { startTls: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': [
              {
                guard: 'plaintextBehind',
                target: CLOSED,
                actions: fail('protocol'),
                description: 'RFC 3207 §6: whoever sent this is not who will be authenticated',
              },
              { target: 'securing', actions: 'upgradeTls', description: 'RFC 3207 §4' },
            ],
            'reply.transient': startTlsRefused,
            'reply.permanent': startTlsRefused,
          },
        },

        securing: {
          description: 'The TLS handshake is under way: nothing may pass beside it.',
          after: { handshake: tlsFailed },
          on: {
            tlsEstablished: { target: 'identifying', description: 'RFC 3207 §4.2' },
            tlsFailed,
            peerClosed: tlsFailed,
            connectionLost: tlsFailed,
          },
        },

        authentication: {
          initial: 'preparing',
          states: {
            preparing: {
              description: 'The SASL mechanism prepares its next response.',
              entry: 'prepareResponse',
              after: { computation: timedOut('RFC 4422 §3') },
              on: {
                computed: { target: 'preparing', reenter: true, description: 'RFC 4422 §3' },
                respond: { target: 'responding', description: 'RFC 4954 §4' },
                cancel: [
                  {
                    guard: 'begun',
                    target: CANCELLED,
                    actions: fail('authentication'),
                    description: 'RFC 4954 §4',
                  },
                  { target: REFUSED, actions: fail('authentication'), description: 'RFC 4422 §3' },
                ],
              },
            },

            responding: {
              description: 'AUTH or a further response was sent.',
              entry: 'writeResponse',
              after: { authentication: timedOut('RFC 5321 §4.5.3.2') },
              on: {
                'reply.success': [
                  {
                    guard: 'unproven',
                    target: CLOSED,
                    actions: fail('protocol'),
                    description: 'RFC 4422 §3.6, RFC 5802 §3: it need not be who it says it is',
                  },
                  ...afterAuthentication.map((transition) => ({
                    ...transition,
                    actions: [
                      'markAuthenticated' as const,
                      'acknowledge' as const,
                      ...('actions' in transition ? [transition.actions] : []),
                    ],
                  })),
                ],
                'reply.intermediate': [
                  {
                    guard: 'initialResponseAwaited',
                    target: 'responding',
                    reenter: true,
                    description: 'RFC 4954 §4: the initial response is sent by itself',
                  },
                  {
                    guard: 'malformedChallenge',
                    target: CANCELLED,
                    actions: fail('protocol'),
                    description: 'RFC 4954 §4',
                  },
                  { target: 'preparing', description: 'RFC 4954 §4' },
                ],
                'reply.transient': refuseSession('RFC 4954 §4, §6'),
                'reply.permanent': refuseSession('RFC 4954 §4, §6'),
              },
            },
          },
        },

        substituting: {
          description: 'XCLIENT was sent.',
          entry: 'writeXclient',
          after: { proxying: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': {
              target: 'identifying',
              actions: 'markSubstituted',
              description: 'RFC 5321 §2.2.2, Postfix XCLIENT_README: as if we had connected anew',
            },
            'reply.transient': refuseSession('RFC 5321 §2.2.2, Postfix XCLIENT_README: as in the greeting'),
            'reply.permanent': refuseSession('RFC 5321 §2.2.2, Postfix XCLIENT_README: as in the greeting'),
          },
        },

        forwarding: {
          description: 'XFORWARD was sent.',
          entry: 'writeXforward',
          after: { proxying: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': forwarded,
            'reply.transient': forwarded,
            'reply.permanent': forwarded,
          },
        },

        ready: {
          description: 'No mail transaction is under way.',
          on: {
            send: [
              {
                guard: 'recipientsMayBeSent',
                target: 'transaction',
                actions: 'begin',
                description: 'RFC 5321 §3.3',
              },
              { actions: 'settle', description: 'RFC 9422 §4.3: none of the recipients may be sent' },
            ],
            inquire: { target: 'inquiring', description: 'RFC 5321 §4.1.4: it changes nothing' },
            quit: { target: 'quitting', description: 'RFC 5321 §4.1.1.10' },
          },
        },

        inquiring: {
          description: 'VRFY, EXPN, HELP, NOOP or the like was sent.',
          entry: 'writeInquiry',
          after: { inquiry: timedOut('RFC 5321 §4.5.3.2') },
          on: { 'reply.success': answered, 'reply.transient': answered, 'reply.permanent': answered },
        },

        transaction: {
          initial: 'mailing',
          states: {
            mailing: {
              description: 'The reply to MAIL is awaited.',
              entry: 'proceed',
              after: { mail: timedOut('RFC 5321 §4.5.3.2.2') },
              on: {
                'reply.success': {
                  target: 'addressing',
                  actions: 'markOpened',
                  description: 'RFC 5321 §3.3, §4.1.1.2',
                },
                'reply.transient': mailRefused,
                'reply.permanent': mailRefused,
              },
            },

            addressing: {
              description: 'The reply to the next RCPT is awaited.',
              entry: 'proceed',
              after: { rcpt: timedOut('RFC 5321 §4.5.3.2.3') },
              on: {
                'reply.success': recipientAnswered('answerRecipient', 'countAnswered', 'countAccepted'),
                'reply.transient': recipientRefused,
                'reply.permanent': recipientRefused,
              },
            },

            initiating: {
              description: 'The reply to DATA is awaited.',
              entry: 'proceed',
              after: { dataInitiation: timedOut('RFC 5321 §4.5.3.2.4') },
              on: {
                'reply.intermediate': [
                  { guard: 'recipientsAccepted', target: 'sending', description: 'RFC 5321 §4.1.1.4' },
                  {
                    guard: 'loneDotIsAnswered',
                    target: 'terminating',
                    description: 'RFC 2920 §3.1: the lone dot, for a message without recipients',
                  },
                ],
                'reply.transient': dataRefused,
                'reply.permanent': dataRefused,
              },
            },

            sending: {
              description: 'The application hands in the message.',
              entry: 'wantMailData',
              after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
              on: {
                endOfMailData: { target: 'terminating', description: 'RFC 5321 §4.1.1.4' },
                abandon: { target: 'abandoned', description: 'RFC 5321 §2.3.8, §4.5.2' },
                'reply.transient': refusedEarly,
                'reply.permanent': refusedEarly,
              },
            },

            chunking: {
              description: 'The application hands in the message, which goes in chunks.',
              after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
              on: {
                chunk: [
                  {
                    guard: 'roomForChunk',
                    target: 'chunking',
                    reenter: true, // the wait for the next piece begins
                    actions: ['writeChunk', 'countChunk'],
                    description: 'RFC 3030 §2, §4.2',
                  },
                  { target: 'holding', actions: ['writeChunk', 'countChunk'], description: 'RFC 3030 §2' },
                ],
                endOfMailData: {
                  target: 'terminating',
                  actions: 'countLastChunk',
                  description: 'RFC 3030 §2',
                },
                abandon: { target: 'abandoned', description: 'RFC 5321 §2.3.8' },
                'reply.success': {
                  guard: 'chunksInFlight',
                  actions: 'countChunkAnswered',
                  description: 'RFC 3030 §2',
                },
                'reply.transient': chunkRefused,
                'reply.permanent': chunkRefused,
              },
            },

            holding: {
              description: 'No further chunk may be in flight before the reply to one that is.',
              after: { chunk: timedOut('RFC 5321 §4.5.3.2') },
              on: {
                'reply.success': {
                  target: 'chunking',
                  actions: ['countChunkAnswered', 'wantMailData'],
                  description: 'RFC 3030 §2',
                },
                'reply.transient': chunkRefused,
                'reply.permanent': chunkRefused,
              },
            },

            draining: {
              description:
                'The message was refused: the replies to the chunks that were written are awaited.',
              after: { chunk: timedOut('RFC 5321 §4.5.3.2') },
              on: { 'reply.success': drained, 'reply.transient': drained, 'reply.permanent': drained },
            },

            abandoned: {
              description: 'The message cannot be sent to its end: the application must end the connection.',
              after: { dataBlock: timedOut('RFC 5321 §4.5.3.2.5') },
              on: {
                'reply.success': {
                  guard: 'chunksInFlight',
                  actions: 'countChunkAnswered',
                  description: 'RFC 3030 §2',
                },
                'reply.transient': abandonedRefused,
                'reply.permanent': abandonedRefused,
              },
            },

            terminating: {
              description:
                'The final dot or the last chunk was sent: from here to its reply the outcome is unknown.',
              entry: 'writeEndOfMailData',
              after: { dataTermination: timedOut('RFC 5321 §4.5.3.2.6, RFC 1047') },
              on: {
                'reply.success': [
                  {
                    guard: 'furtherChunksInFlight',
                    actions: 'countChunkAnswered',
                    description: 'RFC 3030 §2: it is that to an earlier chunk',
                  },
                  recipientDecided,
                  messageTaken,
                ],
                'reply.transient': endRefused,
                'reply.permanent': endRefused,
              },
            },

            delivering: {
              description: 'LMTP: the message was sent, and the reply for the next recipient is awaited.',
              after: { dataTermination: timedOut('RFC 5321 §4.5.3.2.6, RFC 2033 §4.2') },
              on: {
                'reply.success': [recipientDecided, messageTaken],
                'reply.transient': [recipientDecided, messageRefused],
                'reply.permanent': [recipientDecided, messageRefused],
              },
            },
          },
        },

        resetting: {
          description: 'RSET was sent: the server may hold a mail transaction of which nothing will come.',
          entry: write('RSET'),
          after: { reset: timedOut('RFC 5321 §4.5.3.2') },
          on: {
            'reply.success': { target: READY, actions: 'settle', description: 'RFC 5321 §4.1.1.5' },
            'reply.transient': refuseSession('RFC 5321 §4.1.1.5'),
            'reply.permanent': refuseSession('RFC 5321 §4.1.1.5'),
          },
        },

        quitting: {
          description: 'QUIT was sent.',
          entry: write('QUIT'),
          after: { quit: timedOut('RFC 5321 §4.1.1.10') },
          on: {
            'reply.success': { target: CLOSING, description: 'RFC 5321 §4.1.1.10' },
            'reply.transient': quitRefused,
            'reply.permanent': quitRefused,
          },
        },
      },
    },

    refused: {
      description: 'The server will not serve us: QUIT was sent, and its reply says nothing new.',
      entry: write('QUIT'),
      after: { quit: { target: 'closed', description: 'RFC 5321 §3.1' } },
      on: {
        'reply.*': { target: 'closing', description: 'RFC 5321 §3.1, §4.1.1.10' },
        protocolError: unreadable,
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    cancelled: {
      description: 'The SASL exchange is given up: "*" was sent, and QUIT follows its reply.',
      entry: write('cancel'),
      after: { authentication: { target: 'closed', description: 'RFC 4954 §4' } },
      on: {
        'reply.421': { target: 'closing', description: 'RFC 5321 §3.8' },
        'reply.*': { target: 'refused', description: 'RFC 4954 §4' },
        protocolError: unreadable,
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    closing: {
      description: 'We are done; what the server still sends is not looked at.',
      entry: 'close',
      after: { linger: { target: 'closed', description: 'RFC 5321 §4.1.1.10' } },
      on: {
        peerClosed: ended,
        connectionLost: ended,
      },
    },

    closed: { type: 'final', entry: 'closed' },
  },
});
