/**
 * From verdicts to what is stored and told: each recipient of a claim is delivered, given up or tried again, and its sender hears
 * of it or not. Pure: times are arguments.
 */
import type { ClientRecipient, RcptParameters } from '@sansmtp/core';
import { replyText } from '@sansmtp/core';
import type { DeliveryAction, RecipientStatus, RecipientVerdict } from '@sansmtp/delivery';
import type { Attempt, QueuedMessage, QueuedRecipient, Settlement } from '../../contract/messages.js';
import { afterFailure, isExpired, overdue, type RetryOptions } from './retrying.js';
import { heldUntil } from './times.js';

/** What becomes of one recipient. */
export interface Decision {
  readonly place: number;
  readonly recipient: ClientRecipient;
  readonly settlement: Settlement;
  /** What the sender is told, if it wants to hear it; undefined: nothing. */
  readonly status: RecipientStatus | undefined;
}

/** "Delivery time expired" (RFC 3463 §3.5). */
const EXPIRED = '5.4.7';

/** "REQUIRETLS support required" (RFC 8689 §9). */
const NO_REQUIRETLS = '5.7.30';

export function attemptOf(verdict: RecipientVerdict, now: number): Attempt {
  const { reply, host = null, reason } = verdict;
  return { at: now, verdict: verdict.verdict, reply: reply ? replyText(reply) : null, host, reason };
}

/**
 * @param isFinal the host that was spoken to has the mailbox
 */
export function decide(
  message: QueuedMessage,
  place: number,
  given: RecipientVerdict,
  isFinal: boolean,
  now: number,
  options: RetryOptions,
): Decision {
  const recipient = message.recipients[place] as QueuedRecipient;
  const verdict = isToBeMended(given) ? ({ ...given, verdict: 'deferred' } as const) : given;
  const attempt = attemptOf(verdict, now);
  const common = { place, recipient: recipient.recipient };
  switch (verdict.verdict) {
    case 'delivered': {
      // A host with DSN reports by itself what becomes of the message (RFC 3461 §5.2.1).
      const action = isFinal ? 'delivered' : verdict.offersDsn ? undefined : 'relayed';
      const traced = message.envelope.parameters?.deliverBy?.trace === true;
      const told = action ?? (traced ? 'relayed' : undefined);
      return {
        ...common,
        settlement: { place, state: 'delivered', attempt },
        status: told && statusOf(recipient, told, classed(verdict, ['2'], '2.0.0'), verdict, now, traced),
      };
    }
    case 'rejected':
      return {
        ...common,
        settlement: { place, state: 'bounced', attempt },
        status: statusOf(recipient, 'failed', classed(verdict, ['4', '5'], '5.0.0'), verdict, now),
      };
    case 'deferred':
    case 'unknown': {
      const isGreylisting = verdict.phase === 'rcpt' && verdict.reply !== undefined;
      const following = afterFailure(message, recipient, isGreylisting, now, options);
      if (following.kind === 'giveUp' || isExpired(message, now)) {
        return {
          ...common,
          settlement: { place, state: 'bounced', attempt },
          status: statusOf(recipient, 'failed', finalStatus(message, verdict, now), verdict, now),
        };
      }
      const { next, marks, warn } = following;
      const until = new Date(heldUntil(message) + options.giveUpAfter);
      return {
        ...common,
        settlement: { place, state: 'waiting', next, attempt, marks },
        status: warn
          ? {
              ...statusOf(recipient, 'delayed', classed(verdict, ['4'], '4.0.0'), verdict, now),
              willRetryUntil: until,
            }
          : undefined,
      };
    }
  }
}

/** What the passing of time alone demands while a destination is down; undefined: nothing. */
export function decideUntried(
  message: QueuedMessage,
  place: number,
  reason: string,
  now: number,
  options: RetryOptions,
): Decision | undefined {
  const recipient = message.recipients[place] as QueuedRecipient;
  const demanded = overdue(message, recipient, now, options);
  if (demanded === undefined || recipient.state !== 'waiting') return undefined;
  const common = { place, recipient: recipient.recipient };
  const status = (action: DeliveryAction, code: string): RecipientStatus => ({
    forwardPath: recipient.recipient,
    parameters: recipient.recipient.parameters ?? {},
    action,
    status: code,
    diagnostic: reason,
    ...(recipient.last && { lastAttemptAt: new Date(recipient.last.at) }),
  });
  if (demanded === 'giveUp') {
    const attempt: Attempt = { at: now, verdict: 'deferred', reply: null, host: null, reason };
    return {
      ...common,
      settlement: { place, state: 'bounced', attempt },
      status: status('failed', isExpired(message, now) ? EXPIRED : '4.4.7'),
    };
  }
  const until = new Date(heldUntil(message) + options.giveUpAfter);
  return {
    ...common,
    settlement: { place, state: 'waiting', next: recipient.next, marks: { warned: now } },
    status: { ...status('delayed', '4.4.1'), willRetryUntil: until },
  };
}

/**
 * It is only given up in the end: a host without REQUIRETLS may have it tomorrow, or another host may (RFC 8689 §4.2.1); and that
 * this host cannot authenticate is for whoever runs it to mend, not for the sender.
 */
function isToBeMended({ verdict, phase, enhancedCode, reply }: RecipientVerdict): boolean {
  if (verdict !== 'rejected') return false;
  return phase === 'auth' || (reply === undefined && enhancedCode === NO_REQUIRETLS);
}

function finalStatus(message: QueuedMessage, verdict: RecipientVerdict, now: number): string {
  if (isExpired(message, now)) return EXPIRED;
  const needsTls = message.envelope.parameters?.requireTls === true;
  if (needsTls && (verdict.phase === 'policy' || verdict.enhancedCode === NO_REQUIRETLS))
    return NO_REQUIRETLS;
  return classed(verdict, ['4', '5'], '4.4.7');
}

/** The code of the verdict if it is of such a class; a server's may be of any. */
function classed({ enhancedCode }: RecipientVerdict, classes: readonly string[], otherwise: string): string {
  return classes.some((each) => enhancedCode.startsWith(`${each}.`)) ? enhancedCode : otherwise;
}

/** @param always whoever asked for a trace is told, unless it said NOTIFY=NEVER (RFC 2852 §4.1.4) */
function statusOf(
  { recipient }: QueuedRecipient,
  action: DeliveryAction,
  status: string,
  { host, reply, reason }: RecipientVerdict,
  now: number,
  always = false,
): RecipientStatus {
  const parameters: RcptParameters = recipient.parameters ?? {};
  return {
    forwardPath: recipient,
    parameters: always && parameters.notify !== 'NEVER' ? { ...parameters, notify: ['SUCCESS'] } : parameters,
    action,
    status,
    ...(host !== undefined && isName(host) && { remoteMta: host }),
    diagnostic: reply ?? reason,
    lastAttemptAt: new Date(now),
  };
}

/** No path of a Unix socket. */
function isName(host: string): boolean {
  return !host.startsWith('/');
}
