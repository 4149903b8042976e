/**
 * What became of a message for each recipient, in the words and the exit codes that scripts rely on.
 */
import {
  formatMailbox,
  type Mailbox,
  MailDataError,
  type Reply,
  replyText,
  type SessionFailure,
  type Verdict,
} from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { exitCodes } from './exit-codes.js';
import { oneLine } from './terminal.js';

/** What was to blame, where that has an exit code of its own; `access`: AUTH was refused, or TLS was needed. */
export type Fault = 'noHost' | 'protocol' | 'access';

export type Outcome = {
  readonly verdict: Verdict['verdict'];
  readonly fault?: Fault;
} & ({ readonly reply: Reply } | { /** Why there was no reply. */ readonly reason: string });

/** What a failed session was to blame for, if it has an exit code of its own. */
function faultOf(failure: SessionFailure): Fault | undefined {
  switch (failure.kind) {
    case 'protocol':
      return 'protocol';
    case 'tls':
    case 'notOffered':
    case 'withheld':
    case 'authentication':
      return 'access';
    case 'refused':
      // A temporary failure of authentication is like any other: trying again may help.
      if (failure.phase === 'startTls') return 'access';
      return failure.phase === 'auth' && failure.reply.code >= 500 ? 'access' : undefined;
    default:
      return undefined;
  }
}

function outcomeOfFailure(verdict: Verdict['verdict'], failure: SessionFailure): Outcome {
  const fault = faultOf(failure);
  const found = fault === undefined ? {} : { fault };
  if (failure.kind === 'refused') return { verdict, ...found, reply: failure.reply };
  if (failure.kind === 'withheld') {
    const reason = 'The password was not sent: there is no TLS (--allow-insecure-auth sends it all the same)';
    return { verdict, ...found, reason };
  }
  return { verdict, ...found, reason: new SessionError(failure).message };
}

export function outcomeOf(verdict: Verdict): Outcome {
  if ('reply' in verdict) {
    // RFC 4954 §6, RFC 3207 §4: mail is not taken from those who have not authenticated, or without TLS.
    const access = verdict.reply.code === 530 ? ({ fault: 'access' } as const) : {};
    return { verdict: verdict.verdict, ...access, reply: verdict.reply };
  }
  const { failure } = verdict;
  if (failure.kind !== 'limit') return outcomeOfFailure(verdict.verdict, failure);
  const reason = `not sent: the server takes ${failure.limit} (${failure.keyword}); send it to the rest again`;
  return { verdict: verdict.verdict, reason };
}

/** Whether the error tells of the world (the server, the network, a file) and not of a mistake in here. */
function isFailure(error: unknown): error is Error {
  return error instanceof Error && ('code' in error || error instanceof MailDataError);
}

/**
 * What it comes to for every recipient that there was no connection, or no session, or no message.
 * @throws what is a fault of ours
 */
export function outcomeOfError(error: unknown): Outcome {
  if (!isFailure(error)) throw error;
  if (error instanceof SessionError) {
    const { failure } = error;
    // RFC 5321 §4.2.1: what 5yz refuses it will refuse the next time.
    const final = failure.kind === 'refused' && failure.reply.code >= 500;
    return outcomeOfFailure(final ? 'rejected' : 'deferred', failure);
  }
  const { message: reason } = error;
  if (error instanceof TlsError) return { verdict: 'deferred', reason, fault: 'access' };
  return error instanceof ConnectError && error.code === 'ENOTFOUND'
    ? { verdict: 'rejected', reason, fault: 'noHost' }
    : { verdict: 'deferred', reason };
}

/** The line for one recipient. */
export function outcomeLine(recipient: Mailbox, outcome: Outcome): string {
  const explanation = 'reply' in outcome ? replyText(outcome.reply) : outcome.reason;
  return oneLine(`${outcome.verdict} ${formatMailbox(recipient)} ${explanation}`);
}

/** The exit code: the first of these that any outcome calls for. */
export function exitCodeOf(outcomes: readonly Outcome[]): number {
  const faults = outcomes.map(({ fault }) => fault);
  if (faults.includes('protocol')) return exitCodes.protocol;
  if (faults.includes('access')) return exitCodes.noAccess;
  if (outcomes.some(({ verdict }, i) => verdict === 'rejected' && faults[i] === undefined))
    return exitCodes.rejected;
  if (faults.includes('noHost')) return exitCodes.noHost;
  return outcomes.every(({ verdict }) => verdict === 'delivered') ? exitCodes.ok : exitCodes.deferred;
}
