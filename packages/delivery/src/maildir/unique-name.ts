/**
 * Names for message files that no other delivery gives, on this machine or another that shares the folder
 * (the Maildir convention): the time, what sets apart the deliveries of that moment, and the host.
 *
 * The process id and the count do not: threads share the one and count for themselves, and in containers every process
 * may have the id 1. So there are the 122 random bits of a UUID, too.
 */
import { randomUUID } from 'node:crypto';

/** Deliveries of this thread so far, whichever Maildir they went to. */
let deliveries = 0;

export interface UniqueName {
  /** Names the delivery in replies, logs and trace headers; an atom of RFC 5322 §3.2.3. */
  readonly id: string;
  readonly file: string;
}

/** @param now milliseconds since 1970 */
export function uniqueName(hostname: string, now: number): UniqueName {
  const seconds = Math.floor(now / 1000);
  const microseconds = Math.floor((now % 1000) * 1000);
  const moment = `M${microseconds}P${process.pid}Q${++deliveries}R${randomUUID().replaceAll('-', '')}`;
  // A slash would be a folder, and what stands behind a colon would be the message's flags.
  const host = hostname.replaceAll('/', '\\057').replaceAll(':', '\\072');
  return { id: `${seconds}${moment}`, file: `${seconds}.${moment}.${host}` };
}
