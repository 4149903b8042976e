import { QueueUnreadableError } from '../../contract/errors.js';

/** A record cannot be read any more, though it was synced. It says nothing of the records beside it. */
export class DamagedRecordError extends QueueUnreadableError {
  readonly path: string;
  readonly segment: number;
  readonly offset: number;

  constructor(path: string, { segment, offset }: { readonly segment: number; readonly offset: number }) {
    super(`${path} is damaged at octet ${offset}: the disk has lost what was synced to it`);
    this.path = path;
    this.segment = segment;
    this.offset = offset;
  }
}
