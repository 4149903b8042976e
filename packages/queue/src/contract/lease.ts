/**
 * Leases and the final dot. A worker that sends the final dot must still own the recipients when the reply comes: else
 * another worker might send the message meanwhile. So it stores that it is about to (`committing()`), and looks at its
 * lease once more right before the write.
 */
import type { Claim } from './messages.js';

/** Milliseconds that the reply to the final dot may take (RFC 5321 §4.5.3.2.6). */
export const FINAL_REPLY_TIMEOUT = 600_000;

/** Milliseconds that `committing()` leaves on a lease at least: the reply's, and a minute to write the final dot in. */
export const COMMITTING_LEASE = FINAL_REPLY_TIMEOUT + 60_000;

/**
 * Whether the final dot may be written now. Ask after `committing()` resolved, in the same turn as the write.
 * @returns false: too little is left of the lease; write nothing, drop the connection and give the claim back
 */
export function mayWriteFinalDot(claim: Claim, now: number): boolean {
  return claim.leaseUntil - now >= FINAL_REPLY_TIMEOUT;
}
