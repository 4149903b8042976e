/**
 * What it means for a message that a session could not be opened, or not with the TLS that it has to have.
 */
import { type Reply, replyText } from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import { DaneError, type Destination, type TlsDemand } from '../sessions/destination.js';
import { CredentialsError } from '../sessions/session-credentials.js';
import { enhancedCodeOfFailure, type Outcome, outcomeOfReply } from './recipient-verdict.js';

/** Kinds of failures. */
const LOSSES: ReadonlySet<string> = new Set(['lost', 'timeout', 'protocol']);

/** Whether it is the TLS that could not be had, or not as it has to be. */
function lacksTls(error: Error): boolean {
  if (error instanceof DaneError || error instanceof TlsError) return true;
  if (!(error instanceof SessionError) || error.failure.phase !== 'startTls') return false;
  const { failure } = error;
  // A server that shuts down, or is lost, says nothing of TLS.
  return failure.kind === 'refused' ? failure.reply.code !== 421 : !LOSSES.has(failure.kind);
}

const DEMANDS: Readonly<Record<TlsDemand, string>> = {
  'MTA-STS': 'the MTA-STS policy of the domain demands TLS, with a certificate for this host',
  DANE: 'DANE (the TLSA records of this host) demands TLS',
  REQUIRETLS: 'REQUIRETLS demands TLS, with a certificate for this host',
};

/** Of a refusal of STARTTLS, which is not for good even where it says so. */
function temporary({ enhancedCode }: Reply): string {
  return enhancedCode?.startsWith('4.') ? enhancedCode : '4.7.0';
}

/** In words of its own: those of the error say that an option demands TLS, and here it is a policy. */
function demandUnmet(error: Error, host: string, demandedBy: TlsDemand): Outcome {
  const failure = error instanceof SessionError ? error.failure : undefined;
  const reply = failure?.kind === 'refused' ? failure.reply : undefined;
  const what =
    failure?.kind === 'notOffered'
      ? `${host} does not offer STARTTLS`
      : reply !== undefined
        ? `${host} replied to STARTTLS: ${replyText(reply)}`
        : `${host}: ${error.message}`;
  return {
    verdict: 'deferred',
    phase: 'policy',
    host,
    ...(reply && { reply }),
    enhancedCode: reply ? temporary(reply) : failure ? enhancedCodeOfFailure(failure) : '4.7.0',
    reason: `${what}; ${DEMANDS[demandedBy]}`,
    ...(failure && { failure }),
    error,
  };
}

/** Why there was no session, as a verdict for the case that nothing else is left to be tried. */
export function outcomeOfOpening(thrown: unknown, { host, demandedBy }: Destination): Outcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (demandedBy !== undefined && lacksTls(error)) return demandUnmet(error, host, demandedBy);
  if (!(error instanceof SessionError)) {
    const isUnknown = error instanceof CredentialsError;
    const enhancedCode = error instanceof TlsError || isUnknown ? '4.7.0' : '4.4.1';
    return {
      verdict: 'deferred',
      phase: isUnknown ? 'auth' : 'connect',
      host,
      enhancedCode,
      reason: `${host}: ${error.message}`,
      error,
    };
  }
  const { failure } = error;
  const { phase } = failure;
  if (failure.kind !== 'refused') {
    const enhancedCode = enhancedCodeOfFailure(failure);
    return {
      verdict: 'deferred',
      phase,
      host,
      enhancedCode,
      reason: `${host}: ${error.message}`,
      failure,
      error,
    };
  }
  // TLS that is demanded and refused may be somebody's doing who stands in between: not for good.
  if (phase === 'startTls') {
    const outcome = outcomeOfReply('deferred', phase, failure.reply, host);
    return { ...outcome, enhancedCode: temporary(failure.reply), failure, error };
  }
  const verdict = failure.reply.code >= 500 ? 'rejected' : 'deferred';
  return { ...outcomeOfReply(verdict, phase, failure.reply, host), failure, error };
}
