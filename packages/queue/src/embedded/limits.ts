/** Whether a message may be put. */
import { QueueFullError } from '../contract/errors.js';
import type { NewMessage } from '../contract/messages.js';
import { DEFAULT_MAXIMUM_MESSAGES, type QueueLimits } from '../contract/queue-store.js';
import type { FileSystem } from './disk/file-system.js';

/** @throws {QueueFullError} with one message more, of this size, the queue would pass a limit */
export function checkLimits(
  { messages, octets }: { readonly messages: number; readonly octets: number },
  size: number,
  limits: QueueLimits,
): void {
  const { maximumMessages = DEFAULT_MAXIMUM_MESSAGES, maximumOctets = Number.POSITIVE_INFINITY } = limits;
  if (messages >= maximumMessages) {
    throw new QueueFullError(`The queue is full: it has ${messages} messages, ${maximumMessages} at most`);
  }
  if (octets + size > maximumOctets) {
    throw new QueueFullError(
      `The queue is full: it has ${octets} octets, and with ${size} more it would pass ${maximumOctets}`,
    );
  }
}

/** @throws {QueueFullError} less than the reserve is free */
export async function checkRoom(files: FileSystem, directory: string, reserve: number): Promise<void> {
  const free = await files.freeOctets(directory);
  if (free >= reserve) return;
  throw new QueueFullError(`No room for mail: ${free} octets are free in ${directory}, ${reserve} stay so`);
}

/** @throws {RangeError} there is none */
export function checkRecipients({ envelope }: NewMessage): void {
  if (envelope.recipients.length > 0) return;
  throw new RangeError('The envelope has no recipient; it takes one at least');
}
