/**
 * Recipients that no command can carry: a verdict for each of them, and no hindrance for the others.
 */
import {
  type ClientEnvelope,
  type ClientRecipient,
  type EnvelopeInput,
  formatPath,
  readEnvelope,
  readForwardPath,
} from '@sansmtp/core';
import type { Outcome } from './recipient-verdict.js';

/** No command can be written with this address. */
export class UnwritableAddressError extends Error {
  override readonly name = 'UnwritableAddressError';
}

/** "Bad destination mailbox address syntax" (RFC 3463 §3.2). */
const BAD_SYNTAX = '5.1.3';

/** An envelope that was read. */
export interface WritableEnvelope {
  readonly envelope: ClientEnvelope;
  /** The verdicts of the recipients that cannot be written, by their places in the envelope; undefined: all can. */
  readonly decided: ReadonlyMap<number, Outcome> | undefined;
}

/**
 * Reads an envelope as a caller wrote it. A recipient in text that is no address stands in it as far as it can be taken
 * apart; what is no text and no mailbox is the caller's mistake.
 * @throws as `readEnvelope` does, but not for a recipient in text
 */
export function readWritable(given: EnvelopeInput): WritableEnvelope {
  let unreadable: Map<ClientRecipient, unknown> | undefined;
  const envelope = readEnvelope(given, (address) => {
    if (typeof address !== 'string') return readForwardPath(address);
    try {
      return readForwardPath(address);
    } catch (error) {
      const at = address.lastIndexOf('@');
      const recipient = {
        localPart: at < 0 ? address : address.slice(0, at),
        domain: at < 0 ? '' : address.slice(at + 1),
      };
      unreadable ??= new Map();
      unreadable.set(recipient, error);
      return recipient;
    }
  });
  let decided: Map<number, Outcome> | undefined;
  envelope.recipients.forEach((recipient, place) => {
    const problem = unreadable?.get(recipient) ?? problemOf(recipient);
    if (problem === undefined) return;
    decided ??= new Map();
    decided.set(place, unwritable(problem));
  });
  return { envelope, decided };
}

/** Why it cannot be written. */
function problemOf(recipient: ClientRecipient): unknown {
  try {
    formatPath(recipient);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

function unwritable(cause: unknown): Outcome {
  const error = new UnwritableAddressError((cause as Error).message, { cause });
  const reason = `The address cannot be sent to: ${error.message}`;
  return { verdict: 'rejected', phase: 'rcpt', enhancedCode: BAD_SYNTAX, reason, error };
}
