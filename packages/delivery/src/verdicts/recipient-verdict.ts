/**
 * What became of a message for one recipient, across all hosts and connections that were tried.
 */
import {
  type ClientRecipient,
  type Phase,
  type Reply,
  replyText,
  type SessionFailure,
  type Verdict,
} from '@sansmtp/core';
import { SessionError } from '@sansmtp/transport';

/**
 * - `delivered`: a server took responsibility.
 * - `rejected`: refused for good; another try would fail alike.
 * - `deferred`: nobody took it, another try may succeed.
 * - `unknown`: the connection was lost between the end of the message and the reply to it, so the server may have
 *   delivered it (RFC 1047). It was not tried anywhere else: that might have doubled it.
 */
export type DeliveryVerdict = 'delivered' | 'rejected' | 'deferred' | 'unknown';

/**
 * Where it was decided: in the dialogue (see `Phase`), in looking for the mail exchangers (`routing`), in connecting,
 * TLS from the first octet on included (`connect`), or by what DANE, MTA-STS or REQUIRETLS demand (`policy`). Where a
 * delivery was stopped: how far it had come.
 */
export type DeliveryPhase = Phase | 'routing' | 'connect' | 'policy';

export interface RecipientVerdict {
  /** The recipient of the envelope, the same object. */
  readonly recipient: ClientRecipient;
  readonly verdict: DeliveryVerdict;
  /** The mail exchanger, relay or path of the socket that decided, or that was tried last. */
  readonly host?: string;
  /** What the server replied; in the phase `routing`, what a server would have (see `RoutingFailure`). */
  readonly reply?: Reply;
  /** RFC 3463: as the server gave it; where none did, what comes closest. Each verdict of `send()` has it. */
  readonly enhancedCode: string;
  readonly phase: DeliveryPhase;
  /** For people, one line. */
  readonly reason: string;
  /**
   * Whether the server that decided in a mail transaction offers DSN, and so tells the sender itself of what becomes of the
   * message (RFC 3461 §5.2.1); absent: there was no transaction.
   */
  readonly offersDsn?: boolean;
  /** Why the session ended, where that decided. */
  readonly failure?: SessionFailure;
  /**
   * What stands behind a verdict that no reply of a recipient's own gave: a `SessionError`, `ConnectError`,
   * `TlsError`, `DaneError`, `ExtensionNotOfferedError`, what the body threw, the system's error where the message could
   * not be stored, or the reason of the signal; for a deadline an error with the code `ETIMEDOUT`.
   */
  readonly error?: Error;
}

/** A verdict before it is known for whom. */
export type Outcome = Omit<RecipientVerdict, 'recipient'>;

/**
 * @param host who replied; absent: DNS was asked only
 * @param offersDsn absent: there was no mail transaction
 */
export function outcomeOfReply(
  verdict: DeliveryVerdict,
  phase: DeliveryPhase,
  reply: Reply,
  host?: string,
  offersDsn?: boolean,
): Outcome {
  return {
    verdict,
    phase,
    reply,
    ...(host !== undefined && { host }),
    enhancedCode: reply.enhancedCode ?? UNDEFINED_STATUS[verdict],
    reason: host === undefined ? reply.lines.join(' ') : `${host} replied: ${replyText(reply)}`,
    // Not added to a copy later: for V8 that costs microseconds.
    ...(offersDsn !== undefined && { offersDsn }),
  };
}

/**
 * What a session's verdict comes to, when nothing else is tried.
 * @param offersDsn as for `outcomeOfReply`
 */
export function outcomeOfVerdict(given: Verdict, host: string, offersDsn?: boolean): Outcome {
  if (given.reply !== undefined)
    return outcomeOfReply(given.verdict, given.phase, given.reply, host, offersDsn);
  const { verdict, phase, failure } = given;
  const known = offersDsn !== undefined && { offersDsn };
  if (failure.kind === 'limit') {
    const { keyword, limit } = failure;
    const reason = `${host} takes no more recipients (${keyword}=${limit})`;
    return { verdict, phase, host, enhancedCode: '4.5.3', reason, ...known };
  }
  const error = new SessionError(failure);
  const doubt = verdict === 'unknown' ? '; the message may have been delivered' : '';
  const enhancedCode = verdict === 'unknown' ? NO_ANSWER : enhancedCodeOfFailure(failure);
  const reason = `${host}: ${error.message}${doubt}`;
  return { verdict, phase, host, enhancedCode, reason, failure, error, ...known };
}

/** What says no more than the verdict (RFC 3463 §3.1). */
const UNDEFINED_STATUS: Readonly<Record<DeliveryVerdict, string>> = {
  delivered: '2.0.0',
  rejected: '5.0.0',
  deferred: '4.0.0',
  unknown: '4.0.0',
};

/** "Bad connection", once there was one (RFC 3463 §3.5). */
const NO_ANSWER = '4.4.2';

/** The enhanced status code of mail that is deferred because a session has ended (RFC 3463 §3). */
export function enhancedCodeOfFailure(failure: SessionFailure): string {
  switch (failure.kind) {
    case 'timeout':
    case 'lost':
      return NO_ANSWER;
    case 'protocol':
      return '4.5.0';
    case 'notOffered':
      // "Encryption needed", from the registry of RFC 5248.
      return failure.keyword === 'STARTTLS' ? '4.7.10' : '4.7.0';
    case 'tls':
    case 'withheld':
    case 'authentication':
      return '4.7.0';
    case 'refused':
      return failure.reply.enhancedCode ?? UNDEFINED_STATUS.deferred;
  }
}
