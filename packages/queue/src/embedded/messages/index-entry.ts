/** What the index has of a message. */
import { createHash } from 'node:crypto';
import type { IndexEntry, Spot } from '../index/message-index.js';
import type { Place } from '../journal/segment.js';
import type { Live } from './live-message.js';

export function entryOf({ sequence, state }: Live, home: Place, last: Spot): IndexEntry {
  const { arrived, held, dropped, sender, envelope, recipients } = state;
  const committing = recipients.some(({ committingSince }) => committingSince !== undefined);
  const priority = envelope.parameters?.mtPriority ?? 0;
  return { sequence, arrived, home, last, held, dropped, committing, priority, sender: numberOf(sender) };
}

/** A number that stands for a sender; two that have the same share their turn. */
function numberOf(sender: string): number {
  return createHash('sha256').update(sender).digest().readUInt32LE();
}
