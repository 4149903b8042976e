/**
 * Before the end of a message is sent the claim is stored as committing, and its lease looked at once more: whoever lost the claim
 * sends no end.
 */
import type { RecipientVerdict } from '@sansmtp/delivery';
import type { Clock } from '@sansmtp/transport';
import { StaleClaimError } from '../../contract/errors.js';
import { COMMITTING_LEASE, FINAL_REPLY_TIMEOUT, mayWriteFinalDot } from '../../contract/lease.js';
import type { HeldClaim, Leases } from '../../scheduler/leases.js';

/** Milliseconds that storing it may take: the wall clock alone may have been set back meanwhile. */
const PATIENCE = COMMITTING_LEASE - FINAL_REPLY_TIMEOUT;

/** The lease ran out while it was stored that the end follows: nothing may be sent. */
class LeaseTooShortError extends Error {
  override readonly name = 'LeaseTooShortError';
}

/** The end of the message was not sent, for a reason of ours. */
class NotSentError extends Error {
  override readonly name = 'NotSentError';

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * @param places the recipients to whom the message may go with its end
 * @throws {NotSentError} the end may not be sent
 */
export async function commitBeforeFinalDot(
  leases: Leases,
  held: HeldClaim,
  places: readonly number[],
  now: () => number,
  clock: Clock,
): Promise<void> {
  const begun = clock.now();
  try {
    const claim = await leases.commit(held, places);
    if (mayWriteFinalDot(claim, now()) && clock.now() - begun <= PATIENCE) return;
    throw new LeaseTooShortError('The lease was over before the end of the message could be sent');
  } catch (cause) {
    throw new NotSentError(cause);
  }
}

/** That the end follows could not be stored, and the claim is not over for that. */
export function isUnstored(verdict: RecipientVerdict | undefined): boolean {
  return verdict?.error instanceof NotSentError && !(verdict.error.cause instanceof StaleClaimError);
}

/** It says nothing of the server: we have ended the delivery. Where the message may have arrived it counts all the same. */
export function isOurs({ verdict, error }: RecipientVerdict, ending: AbortSignal): boolean {
  if (verdict !== 'deferred' || error === undefined) return false;
  return error instanceof NotSentError || (ending.aborted && error === ending.reason);
}
