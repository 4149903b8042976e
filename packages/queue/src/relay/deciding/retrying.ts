/**
 * When a recipient is tried again, and when not any more: the retry schedule of `@sansmtp/delivery` as it applies to one recipient in a
 * queue. Pure: times are arguments (milliseconds since 1970 UTC).
 *
 * Marks of a recipient: `warned`, when the sender was told of the delay; `greylisted`, when RCPT was first answered by 4yz; `planned`, the
 * attempt of the schedule that the extra one came before.
 */
import { DEFAULT_RETRY_SCHEDULE, nextAttempt, type RetrySchedule } from '@sansmtp/delivery';
import type { Marks, QueuedMessage, QueuedRecipient } from '../../contract/messages.js';
import { deliverByTime, heldUntil } from './times.js';

/** Milliseconds until a host that greylists is asked again, beside the schedule. */
const GREYLISTING_WAIT = 300_000;

/** The part of a wait by which it may be longer, so that what failed together is not tried again together. */
const JITTER = 0.1;

export interface RetryOptions {
  /** The waits between attempts in milliseconds, the last one from then on; undefined: the usual ones, and the extra one for greylisting. */
  readonly retry: readonly number[] | undefined;
  readonly warnAfter: number;
  readonly giveUpAfter: number;
  /** 0 up to but not including 1. */
  readonly random: () => number;
}

/** What follows an attempt that failed for now. */
export type Retrying =
  | {
      readonly kind: 'retry';
      readonly next: number;
      /** The sender is to be told of the delay. */
      readonly warn: boolean;
      readonly marks: Marks;
    }
  | { readonly kind: 'giveUp' };

export function scheduleOf({ retry, warnAfter, giveUpAfter }: RetryOptions): RetrySchedule {
  return { intervals: retry ?? DEFAULT_RETRY_SCHEDULE.intervals, warnAfter, giveUpAfter };
}

/** @param isGreylisting the reply to RCPT was 4yz */
export function afterFailure(
  message: QueuedMessage,
  recipient: QueuedRecipient,
  isGreylisting: boolean,
  now: number,
  options: RetryOptions,
): Retrying {
  const { marks } = recipient;
  const extra = marks.greylisted === undefined ? 0 : 1;
  // The extra attempt has failed: on with the schedule, as if it had not been.
  const planned = marks.planned !== undefined && marks.planned > now ? marks.planned : undefined;
  const result = nextAttempt(
    {
      firstTriedAt: heldUntil(message),
      attempts: Math.max(1, recipient.attempts + 1 - extra),
      now,
      warned: marks.warned !== undefined,
    },
    scheduleOf(options),
  );
  const by = deliverByTime(message);
  const isLate = by !== undefined && by <= now && marks.warned === undefined;
  if (result.kind === 'giveUp') return result;
  const regular = planned ?? result.at + (result.at - now) * JITTER * options.random();
  const isFirst = isGreylisting && options.retry === undefined && marks.greylisted === undefined;
  const at = isFirst ? Math.min(regular, now + GREYLISTING_WAIT) : regular;
  const warn = result.warn === true || isLate;
  return {
    kind: 'retry',
    // What is to be delivered by a time is looked at again when it has come.
    next: Math.round(by !== undefined && by > now ? Math.min(at, by) : at),
    warn,
    marks: {
      ...(warn && { warned: now }),
      ...(isFirst && { greylisted: now, planned: Math.round(regular) }),
    },
  };
}

/** What the passing of time alone demands for a recipient that waits, while its destination is down. */
export function overdue(
  message: QueuedMessage,
  recipient: QueuedRecipient,
  now: number,
  options: RetryOptions,
): 'giveUp' | 'warn' | undefined {
  if (giveUpAt(message, options) <= now) return 'giveUp';
  return warnAt(message, recipient, options) <= now ? 'warn' : undefined;
}

/** From when on it demands something. */
export function overdueAt(message: QueuedMessage, place: number, options: RetryOptions): number {
  const recipient = message.recipients[place] as QueuedRecipient;
  return Math.min(giveUpAt(message, options), warnAt(message, recipient, options));
}

function giveUpAt(message: QueuedMessage, { giveUpAfter }: RetryOptions): number {
  const by = message.envelope.parameters?.deliverBy?.mode === 'return' ? deliverByTime(message) : undefined;
  return Math.min(heldUntil(message) + giveUpAfter, by ?? Number.POSITIVE_INFINITY);
}

function warnAt(message: QueuedMessage, { marks }: QueuedRecipient, { warnAfter }: RetryOptions): number {
  if (marks.warned !== undefined) return Number.POSITIVE_INFINITY;
  return Math.min(heldUntil(message) + warnAfter, deliverByTime(message) ?? Number.POSITIVE_INFINITY);
}

/** It was to be returned rather than to be late (RFC 2852 §4.1.2). */
export function isExpired(message: QueuedMessage, now: number): boolean {
  const by = deliverByTime(message);
  return by !== undefined && by <= now && message.envelope.parameters?.deliverBy?.mode === 'return';
}
