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
import { SessionError } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { exitCodes } from './exit-codes.js';
import { oneLine } from './terminal.js';

export type Outcome =
  | { readonly verdict: Verdict['verdict']; readonly reply: Reply }
  | {
      readonly verdict: Verdict['verdict'];
      /** Why there was no reply. */
      readonly reason: string;
      /** What was to blame, where that has an exit code of its own. */
      readonly fault?: 'noHost' | 'protocol';
    };

function outcomeOfFailure(verdict: 'deferred' | 'unknown', failure: SessionFailure): Outcome {
  if (failure.kind === 'refused') return { verdict, reply: failure.reply };
  const { message: reason } = new SessionError(failure);
  return failure.kind === 'protocol' ? { verdict, reason, fault: 'protocol' } : { verdict, reason };
}

export function outcomeOf(verdict: Verdict): Outcome {
  return 'reply' in verdict
    ? { verdict: verdict.verdict, reply: verdict.reply }
    : outcomeOfFailure(verdict.verdict, verdict.failure);
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
    return failure.kind === 'refused' && failure.reply.code >= 500
      ? { verdict: 'rejected', reply: failure.reply }
      : outcomeOfFailure('deferred', failure);
  }
  const { message: reason } = error;
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
  const faults = outcomes.map((outcome) => ('reply' in outcome ? undefined : outcome.fault));
  if (faults.includes('protocol')) return exitCodes.protocol;
  if (outcomes.some(({ verdict }, i) => verdict === 'rejected' && faults[i] === undefined))
    return exitCodes.rejected;
  if (faults.includes('noHost')) return exitCodes.noHost;
  return outcomes.every(({ verdict }) => verdict === 'delivered') ? exitCodes.ok : exitCodes.deferred;
}
