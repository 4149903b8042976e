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
 * TLS from the first octet on included (`connect`), or by what DANE, MTA-STS or the options demand (`policy`).
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
  /** RFC 3463. */
  readonly enhancedCode?: string;
  readonly phase: DeliveryPhase;
  /** For people, one line. */
  readonly reason: string;
  /** Why the session ended, where that decided. */
  readonly failure?: SessionFailure;
  /**
   * What stands behind a verdict that no reply of a recipient's own gave: a `SessionError`, `ConnectError`,
   * `TlsError`, `DaneError`, `ExtensionNotOfferedError`, or the reason of the signal; for a deadline an error with the
   * code `ETIMEDOUT`.
   */
  readonly error?: Error;
}

/** A verdict before it is known for whom. */
export type Outcome = Omit<RecipientVerdict, 'recipient'>;

/** @param host who replied; absent: DNS was asked only */
export function outcomeOfReply(
  verdict: DeliveryVerdict,
  phase: DeliveryPhase,
  reply: Reply,
  host?: string,
): Outcome {
  const { enhancedCode } = reply;
  return {
    verdict,
    phase,
    reply,
    ...(host !== undefined && { host }),
    ...(enhancedCode !== undefined && { enhancedCode }),
    reason: host === undefined ? reply.lines.join(' ') : `${host} replied: ${replyText(reply)}`,
  };
}

/** What a session's verdict comes to, when nothing else is tried. */
export function outcomeOfVerdict(given: Verdict, host: string): Outcome {
  if ('reply' in given) return outcomeOfReply(given.verdict, given.phase, given.reply, host);
  const { verdict, phase, failure } = given;
  if (failure.kind === 'limit') {
    const { keyword, limit } = failure;
    return { verdict, phase, host, reason: `${host} takes no more recipients (${keyword}=${limit})` };
  }
  const error = new SessionError(failure);
  const doubt = verdict === 'unknown' ? '; the message may have been delivered' : '';
  return { verdict, phase, host, reason: `${host}: ${error.message}${doubt}`, failure, error };
}
