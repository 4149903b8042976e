/** What a store throws besides the system's own errors (`ENOSPC`, `EACCES`, …). */

/** The fencing number is stale: the lease ended and the store took the claim back, or it was settled or given back. */
export class StaleClaimError extends Error {
  override readonly name = 'StaleClaimError';
  readonly fence: number;

  constructor(id: string, fence: number) {
    super(
      `The claim ${fence} of message ${id} is over: it was settled or given back, or its lease ended and the store ` +
        'took it back. What it came to was not stored; claim the message anew',
    );
    this.fence = fence;
  }
}

/** No message has this ID (any more). */
export class NotInQueueError extends Error {
  override readonly name = 'NotInQueueError';
  readonly id: string;

  constructor(id: string) {
    super(`The queue has no message ${id}: it was delivered, bounced or dropped, or never there`);
    this.id = id;
  }
}

/**
 * The queue is over its limit, or too little of the disk is free. Nothing was put; what is there goes on being delivered.
 * A server answers 452 4.3.1 (RFC 5321 §4.2.3, RFC 3463 §3.4) and goes on.
 */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
  /** As the system calls a full disk, so that one look at `code` finds both. */
  readonly code = 'ENOSPC';
}

/** Another process has the directory open. */
export class QueueInUseError extends Error {
  override readonly name = 'QueueInUseError';

  constructor(directory: string) {
    super(`The queue in ${directory} is open in another process; one at a time may have it`);
  }
}

/** The directory cannot be read as a queue: a newer version wrote it, or the disk lost what was synced. */
export class QueueUnreadableError extends Error {
  override readonly name = 'QueueUnreadableError';
}

/**
 * The store is closed; or the disk failed to sync, after which nobody knows what is on it. Nothing more is accepted until
 * the queue is opened anew, which reads what is there.
 */
export class QueueClosedError extends Error {
  override readonly name = 'QueueClosedError';
}
