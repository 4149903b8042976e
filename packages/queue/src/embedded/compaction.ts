/**
 * Makes room on the disk: the oldest segments of the journal are removed. What is still needed of one is first stored anew at
 * the end of the journal, once the journal is more than twice as long as what is alive in it.
 */
import type { StoredMessages } from './messages/stored-messages.js';

/** Segments that may stand there whatever is alive in them: below that nothing is copied. */
const SPARE_SEGMENTS = 4;

/** Segments beyond those that its octets would fill: each opening of the queue begins one. */
const SPARE_SHORT_SEGMENTS = 16;

/** Messages copied at a time: they share a sync, and leave others their turn. */
const COPIED_AT_ONCE = 64;

/** Whether `removeOldSegments()` would do something. It takes no time to ask. */
export function hasOldSegments({ index, journal }: StoredMessages): boolean {
  const { oldest, segmentOctets } = journal;
  if (oldest === undefined) return false;
  if (index.residentsOf(oldest) === 0) return true;
  const bearable = 2 * index.aliveOctets + SPARE_SEGMENTS * segmentOctets;
  return journal.octets > bearable || journal.segmentCount > bearable / segmentOctets + SPARE_SHORT_SEGMENTS;
}

/** One after the other, each with all that is alive in it copied and safe. */
export async function removeOldSegments(messages: StoredMessages): Promise<void> {
  const { index, journal } = messages;
  while (hasOldSegments(messages)) {
    const oldest = journal.oldest as number;
    const alive = index.residentsOf(oldest) > 0 ? index.sequencesIn(oldest) : [];
    for (let start = 0; start < alive.length; start += COPIED_AT_ONCE) {
      const some = alive.slice(start, start + COPIED_AT_ONCE);
      await Promise.all(some.map((sequence) => messages.copyForward(sequence, oldest)));
    }
    await journal.removeOldest();
  }
}
