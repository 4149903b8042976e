/**
 * What became of a message for each recipient, in the words and the exit codes that scripts rely on.
 */
import {
  type Address,
  ExtensionNotOfferedError,
  formatMailbox,
  type Reply,
  replyText,
  type SessionFailure,
} from '@sansmtp/core';
import {
  type DeliveryVerdict,
  type MailerOptions,
  type RecipientVerdict,
  UnwritableAddressError,
} from '@sansmtp/delivery';
import { TlsError } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { exitCodes } from '../exit-codes.js';
import { oneLine } from '../terminal.js';

/**
 * What was to blame, where that has an exit code of its own. `mail`: the address or message cannot be sent to this
 * server; `access`: AUTH was refused, or TLS was needed; `route`: there is none to the domain.
 */
export type Fault = 'mail' | 'protocol' | 'access' | 'route';

export type Outcome = {
  readonly verdict: DeliveryVerdict;
  readonly fault?: Fault;
} & ({ readonly reply: Reply } | { /** Why there was no reply. */ readonly reason: string });

function faultOf({ phase, verdict, failure, reply, error }: RecipientVerdict): Fault | undefined {
  if (error instanceof ExtensionNotOfferedError || error instanceof UnwritableAddressError) return 'mail';
  if (error instanceof TlsError || phase === 'policy') return 'access';
  if (isNoHost(error) || (phase === 'routing' && verdict === 'rejected')) return 'route';
  // RFC 4954 §6, RFC 3207 §4: mail is not taken from those who have not authenticated, or without TLS.
  if (reply?.code === 530) return 'access';
  return failure && faultOfFailure(failure);
}

function faultOfFailure(failure: SessionFailure): Fault | undefined {
  switch (failure.kind) {
    case 'protocol':
      return 'protocol';
    case 'tls':
    case 'notOffered':
    case 'withheld':
    case 'authentication':
      return 'access';
    case 'refused':
      // STARTTLS is refused only where it was demanded, or else by 421, which says nothing of TLS (RFC 5321 §3.8).
      if (failure.phase === 'startTls') return failure.reply.code === 421 ? undefined : 'access';
      // A temporary failure of authentication is like any other: trying again may help.
      return failure.phase === 'auth' && failure.reply.code >= 500 ? 'access' : undefined;
    default:
      return undefined;
  }
}

function isNoHost(error: unknown): boolean {
  return error instanceof ConnectError && error.code === 'ENOTFOUND';
}

/** @param tls how it was tried */
export function outcomeOf(given: RecipientVerdict, tls: MailerOptions['tls'] = 'opportunistic'): Outcome {
  const { reply, failure, error } = given;
  const fault = faultOf(given);
  // A name that does not exist will not do so the next time.
  const verdict = isNoHost(error) ? 'rejected' : given.verdict;
  const common = { verdict, ...(fault !== undefined && { fault }) };
  // In the phase `routing` nobody has replied, and the reply is what a server would say.
  if (reply !== undefined) return { ...common, reply };
  if (failure?.kind !== 'withheld') return { ...common, reason: reasonOf(given, tls) };
  return {
    ...common,
    reason: 'The password was not sent: there is no TLS (--allow-insecure-auth sends it all the same)',
  };
}

function reasonOf(
  { phase, reason, failure, error, enhancedCode }: RecipientVerdict,
  tls: MailerOptions['tls'],
): string {
  if (error instanceof UnwritableAddressError || error instanceof ExtensionNotOfferedError) {
    return `${enhancedCode} ${reason}`;
  }
  const isSilent =
    (failure !== undefined && 'mayAwaitTls' in failure) ||
    (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT');
  return phase === 'greeting' && tls !== 'implicit' && isSilent
    ? `${reason}; if the server expects TLS from the first octet on, give --tls implicit`
    : reason;
}

/** The line for one recipient. */
export function outcomeLine(recipient: Address, outcome: Outcome): string {
  const explanation = 'reply' in outcome ? replyText(outcome.reply) : outcome.reason;
  return oneLine(`${outcome.verdict} ${addressOf(recipient)} ${explanation}`);
}

/** As it was given where it cannot be written. */
function addressOf(recipient: Address): string {
  if (typeof recipient === 'string') return recipient;
  try {
    return formatMailbox(recipient);
  } catch {
    return `${recipient.localPart}@${recipient.domain}`;
  }
}

/** The exit code: the first of these that any outcome calls for. */
export function exitCodeOf(outcomes: readonly Outcome[]): number {
  const faults = outcomes.map(({ fault }) => fault);
  if (faults.includes('mail')) return exitCodes.usage;
  if (faults.includes('protocol')) return exitCodes.protocol;
  if (faults.includes('access')) return exitCodes.noAccess;
  if (outcomes.some(({ verdict, fault }) => verdict === 'rejected' && fault === undefined))
    return exitCodes.rejected;
  if (faults.includes('route')) return exitCodes.noRoute;
  return outcomes.every(({ verdict }) => verdict === 'delivered') ? exitCodes.ok : exitCodes.deferred;
}
