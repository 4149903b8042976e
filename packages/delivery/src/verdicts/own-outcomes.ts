/**
 * The outcomes that no server has given: the delivery was stopped, the message could not be read, stored or ended, or the
 * server lacks what it needs.
 */
import type { ExtensionNotOfferedError } from '@sansmtp/core';
import type { UnstoredError } from '../bodies/spool.js';
import type { DeliveryPhase, Outcome } from './recipient-verdict.js';
import { recounted } from './recounted-failures.js';

/** The verdict of those whom the signal left undecided. */
export function stopped(signal: AbortSignal | undefined, phase: DeliveryPhase): Outcome {
  const error: unknown = signal?.reason;
  const why = error instanceof Error ? error.message : String(error);
  return {
    verdict: 'deferred',
    phase,
    enhancedCode: TOO_LATE,
    reason: `The delivery was stopped: ${why}`,
    ...(error instanceof Error && { error }),
  };
}

/** "Delivery time expired" (RFC 3463 §3.5). */
const TOO_LATE = '4.4.7';

/** The verdict of those to whom the message did not go because reading it failed. */
export function withoutBody(thrown: unknown, host: string | undefined): Outcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    verdict: 'deferred',
    phase: 'message',
    ...(host !== undefined && { host }),
    enhancedCode: '4.3.0',
    reason: `The body of the message failed: ${error.message}`,
    error,
  };
}

/** The verdict of those for whom the caller did not let the message end. */
export function notEnded(thrown: unknown, host: string): Outcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const reason = `The end of the message was not sent: ${error.message}`;
  return { verdict: 'deferred', phase: 'message', host, enhancedCode: '4.3.0', reason, error };
}

/** The verdict of those to whom the message did not go because it could not be stored for them. */
export function withoutCopy(
  { message, cause }: UnstoredError,
  host: string,
  failures: readonly Outcome[],
): Outcome {
  return {
    verdict: 'deferred',
    phase: 'message',
    host,
    enhancedCode: '4.3.0',
    reason: [message, ...recounted(failures)].join('; '),
    ...(cause instanceof Error && { error: cause }),
  };
}

export function noRoom(host: string): Outcome {
  const reason = `${host} takes no recipient of these domains in a session (RCPTDOMAINMAX)`;
  return { verdict: 'deferred', phase: 'rcpt', host, enhancedCode: '4.5.3', reason };
}

export function notOffered(error: ExtensionNotOfferedError, host: string, isDowngraded: boolean): Outcome {
  const { enhancedCode, message } = error;
  if (!isDowngraded)
    return { verdict: 'rejected', phase: 'mail', host, enhancedCode, reason: `${host}: ${message}`, error };
  return {
    verdict: 'deferred',
    phase: 'mail',
    host,
    enhancedCode: enhancedCode.replace(/^5/, '4'),
    reason: `${host}: ${message}; the session had no TLS, or no EHLO, that the server has otherwise`,
    error,
  };
}
