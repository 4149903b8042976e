/**
 * Recipients that no command can carry: a verdict for each of them, and no hindrance for the others.
 */
import { type ClientEnvelope, formatPath } from '@sansmtp/core';
import type { Outcome } from './recipient-verdict.js';

/** No command can be written with this address. */
export class UnwritableAddressError extends Error {
  override readonly name = 'UnwritableAddressError';
}

/** "Bad destination mailbox address syntax" (RFC 3463 §3.2). */
const BAD_SYNTAX = '5.1.3';

/** The verdicts of the recipients that cannot be written, by their places in the envelope; undefined: all can. */
export function unwritable({ recipients }: ClientEnvelope): ReadonlyMap<number, Outcome> | undefined {
  let outcomes: Map<number, Outcome> | undefined;
  for (const [place, recipient] of recipients.entries()) {
    try {
      formatPath(recipient);
    } catch (thrown) {
      const error = new UnwritableAddressError((thrown as Error).message, { cause: thrown });
      outcomes ??= new Map();
      outcomes.set(place, {
        verdict: 'rejected',
        phase: 'rcpt',
        enhancedCode: BAD_SYNTAX,
        reason: `The address cannot be sent to: ${error.message}`,
        error,
      });
    }
  }
  return outcomes;
}
