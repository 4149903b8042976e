/**
 * Why a session failed: what each state of the chart awaits, and the `SessionFailure` that is made of it and of what
 * was heard.
 *
 * - That the session failed, and of which kind that is, the chart says. What stands here finds the phase and the words.
 * - No failure quotes what was said in a SASL exchange: the text of a challenge is nobody else's business.
 */
import { RemoteProtocolError } from '../errors.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ClientState, FailParameters, Finding, NegotiatedKeyword } from './chart/chart-events.js';
import type { Phase, SessionFailure } from './envelope/outcomes.js';
import type { unfitMechanisms } from './negotiation/negotiation.js';

/** What is awaited in each state: the phase, and the first digits of the replies that make sense there. */
const awaited: Readonly<Record<ClientState, { readonly phase: Phase; readonly replies: string }>> = {
  'session.greeting': { phase: 'greeting', replies: 'the greeting is 2yz, 4yz or 5yz' },
  'session.identifying': { phase: 'hello', replies: 'EHLO takes 2yz, 4yz or 5yz' },
  'session.fallingBack': { phase: 'hello', replies: 'HELO takes 2yz, 4yz or 5yz' },
  'session.startingTls': { phase: 'startTls', replies: 'STARTTLS takes 2yz, 4yz or 5yz' },
  'session.securing': { phase: 'startTls', replies: 'nothing may come before the TLS handshake' },
  'session.authentication.preparing': { phase: 'auth', replies: 'nothing was asked of it' },
  'session.authentication.responding': { phase: 'auth', replies: 'AUTH takes 2yz, 3yz, 4yz or 5yz' },
  'session.substituting': { phase: 'xclient', replies: 'XCLIENT takes 2yz, 4yz or 5yz' },
  'session.forwarding': { phase: 'xforward', replies: 'XFORWARD takes 2yz, 4yz or 5yz' },
  'session.inquiring': { phase: 'inquiry', replies: 'an inquiry takes 2yz, 4yz or 5yz' },
  'session.ready': { phase: 'ready', replies: 'nothing was asked of it' },
  'session.transaction.mailing': { phase: 'mail', replies: 'MAIL takes 2yz, 4yz or 5yz' },
  'session.transaction.addressing': { phase: 'rcpt', replies: 'RCPT takes 2yz, 4yz or 5yz' },
  'session.transaction.initiating': { phase: 'data', replies: 'DATA takes 3yz, 4yz or 5yz' },
  'session.transaction.sending': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.chunking': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz, one for each' },
  'session.transaction.holding': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz' },
  'session.transaction.concluding': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz, one for each' },
  'session.transaction.draining': { phase: 'message', replies: 'BDAT takes 2yz, 4yz or 5yz' },
  'session.transaction.abandoned': { phase: 'message', replies: 'a message under way takes 4yz or 5yz' },
  'session.transaction.terminating': { phase: 'message', replies: 'the final dot takes 2yz, 4yz or 5yz' },
  'session.transaction.delivering': {
    phase: 'message',
    replies: 'a message takes 2yz, 4yz or 5yz, one for each recipient',
  },
  'session.resetting': { phase: 'reset', replies: 'RSET takes 2yz, 4yz or 5yz' },
  'session.quitting': { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  cancelled: { phase: 'auth', replies: '"*" takes 4yz or 5yz' },
  refused: { phase: 'quit', replies: 'QUIT takes 2yz, 4yz or 5yz' },
  closing: { phase: 'quit', replies: 'the session is over' },
  closed: { phase: 'quit', replies: 'the session is over' },
};

/** Milliseconds for which a server that expects a TLS ClientHello waits for it, at least, before it closes. */
const LEAST_WAIT_FOR_TLS = 10_000;

const WITHHELD =
  'Without TLS, whoever listens could learn the password or token (RFC 4954 §9): use TLS or STARTTLS, or set ' +
  'authentication.allowInsecure';

/** How a server broke the protocol by a reply that is well-formed, and of the kind that was awaited. */
export const violations: Readonly<Record<Exclude<Finding, 'initialResponseAwaited'>, string>> = {
  plaintextBehind:
    'The server, or somebody on the way, sent something between the reply to STARTTLS and the TLS handshake ' +
    '(RFC 3207 §6)',
  malformedChallenge:
    'A challenge of the SASL exchange is no base64 on one line, or came unasked (RFC 4954 §4)',
  unproven:
    'The server says that we are authenticated before the SASL exchange has come to its end. It has not heard all ' +
    'that the mechanism has to say, or not proven what it has to (RFC 5802 §3), and need not be who it says it is',
};

type Mechanisms = ReturnType<typeof unfitMechanisms>;

/** What came that a failure may be due to. The session keeps it up to date. */
export interface Evidence {
  /** The reply that the chart was told of last. */
  reply?: Reply;
  /** What came in place of a reply, or what is wrong with it. */
  protocolError?: RemoteProtocolError;
  /** Why the TLS handshake failed, if that is known. */
  tlsError?: Error | undefined;
  /** By which a SASL exchange was begun. */
  mechanism?: string | undefined;
  /** Why the SASL exchange was given up. */
  cancelReason?: string;
  /** What there is to authenticate with, and what of it the options do without. */
  mechanisms?: Mechanisms;
  /** Milliseconds for which no octet has come at all on a connection without TLS; undefined where one has. */
  silentFor?: number;
  /** What had come of a reply that was not whole. */
  unfinished?: string | undefined;
}

/** Where in the dialogue a state stands. */
export function phaseOf(state: ClientState): Phase {
  return awaited[state].phase;
}

/** Whether the message's end was sent, and not all replies to it have come. */
export function awaitsOutcome(state: ClientState): boolean {
  return state === 'session.transaction.terminating' || state === 'session.transaction.delivering';
}

/** @param from the state in which the session failed */
export function failureOf(parameters: FailParameters, from: ClientState, evidence: Evidence): SessionFailure {
  const { kind } = parameters;
  const { phase, replies } = awaited[from];
  // The chart speaks of a reply only after one came.
  const reply = evidence.reply as Reply;
  switch (kind) {
    case 'refused':
      return {
        kind,
        phase,
        reply,
        ...(phase === 'auth' && evidence.mechanism !== undefined && { mechanism: evidence.mechanism }),
      };
    case 'tls': {
      const unexplained =
        'The TLS handshake did not come to its end: the connection was lost, or time was up';
      return { kind, phase: 'startTls', error: evidence.tlsError ?? new Error(unexplained) };
    }
    case 'notOffered':
      return notOffered(parameters.keyword, evidence);
    case 'withheld':
      return { kind, phase: 'auth', reason: WITHHELD };
    case 'authentication':
      return { kind, phase: 'auth', reason: evidence.cancelReason ?? '' };
    case 'protocol':
      return { kind, phase, error: evidence.protocolError ?? mismatch(phase, replies, reply) };
    case 'timeout':
      return { kind, phase, ...unanswered(evidence, 0) };
    case 'lost':
      return { kind, phase, ...unanswered(evidence, LEAST_WAIT_FOR_TLS) };
  }
}

/**
 * What came in the place of an answer.
 * @param leastSilence milliseconds from which on silence may mean that TLS is awaited
 */
function unanswered(
  { silentFor, unfinished }: Evidence,
  leastSilence: number,
): { readonly mayAwaitTls?: true; readonly unfinishedReply?: string } {
  return {
    ...(silentFor !== undefined && silentFor >= leastSilence && { mayAwaitTls: true }),
    ...(unfinished !== undefined && { unfinishedReply: unfinished }),
  };
}

function notOffered(keyword: NegotiatedKeyword, { mechanisms }: Evidence): SessionFailure {
  switch (keyword) {
    case 'STARTTLS':
      return { kind: 'notOffered', phase: 'startTls', keyword };
    case 'XCLIENT':
      return { kind: 'notOffered', phase: 'xclient', keyword };
    case 'AUTH':
      return { kind: 'notOffered', phase: 'auth', keyword, ...(mechanisms as Mechanisms) };
  }
}

/** A reply that is none to what was sent. */
function mismatch(phase: Phase, replies: string, { code, lines }: Reply): RemoteProtocolError {
  const said = phase === 'auth' ? '' : ` ${JSON.stringify(lines.join(' ').slice(0, 200))}`;
  const rule = code === 221 ? 'which answers QUIT only; ' : '';
  return new RemoteProtocolError(`The server replied ${code}${said}: ${rule}${replies}`);
}
