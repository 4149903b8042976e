/** The events of a delivery: what became of each recipient, and who may get the message twice. */
import type { RecipientVerdict } from '@sansmtp/delivery';
import type { QueuedMessage } from '../../contract/messages.js';
import type { NextHop } from '../../scheduler/routes.js';
import type { Decision } from '../deciding/settling.js';
import type { RelayEvent } from './relay-events.js';

type Tell = (event: RelayEvent) => void;

/** The store has recorded by itself that the final dot may have been sent. */
export function tellOfUnknown(tell: Tell, message: QueuedMessage, places: readonly number[]): void {
  for (const place of places) {
    const { recipient, last } = message.recipients[place] ?? {};
    if (recipient === undefined || last?.verdict !== 'unknown' || last.host !== null) continue;
    tell({ type: 'unknown', id: message.id, recipient, cause: last.reason });
  }
}

/** What a host has said is lost: nothing else will tell of it. */
export function tellOfUnsettled(
  tell: Tell,
  message: QueuedMessage,
  decisions: readonly Decision[],
  hop: NextHop,
  error: Error,
): void {
  for (const { recipient, settlement } of decisions) {
    if (settlement.attempt?.verdict !== 'delivered') continue;
    const cause = `${hop.name} has answered, but that was not stored: ${error.message}`;
    tell({ type: 'unknown', id: message.id, recipient, cause });
  }
}

/**
 * What became of a recipient is stored.
 * @param duration milliseconds of the delivery
 */
export function tellOfRecipient(
  tell: Tell,
  message: QueuedMessage,
  { place, recipient, settlement }: Decision,
  verdict: RecipientVerdict,
  hop: NextHop,
  now: number,
  duration: number,
): void {
  const { id, arrived, recipients } = message;
  const { reply = null, host = null, reason } = settlement.attempt ?? {};
  tell({
    type: 'recipient',
    id,
    recipient,
    destination: hop.name,
    verdict: verdict.verdict,
    enhancedCode: verdict.enhancedCode,
    reply,
    host,
    reason: reason ?? verdict.reason,
    attempts: (recipients[place]?.attempts ?? 0) + 1,
    state: settlement.state,
    ...(settlement.state === 'waiting' && { next: settlement.next }),
    // The clock may have been set back since.
    age: Math.max(0, now - arrived),
    duration,
  });
}
