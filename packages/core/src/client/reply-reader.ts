/**
 * What the server sends, read as whole replies (RFC 5321 §4.2).
 *
 * - A reply is given when its last line has come. What stands behind it is not looked at before the next is asked for.
 * - What is given depends on the octets alone, never on how they were cut into chunks, limits included.
 * - Behind a line that is none of a reply nothing should be read: nobody could say which command it answers.
 */
import { RemoteProtocolError } from '../errors.js';
import { InboundBuffer } from '../wire/inbound.js';
import { type Reply, ReplyParser } from '../wire/reply.js';

export class ReplyReader {
  readonly #maximumLines: number;
  readonly #inbound = new InboundBuffer('reject');
  #replies: ReplyParser;

  constructor(maximumLines: number) {
    this.#maximumLines = maximumLines;
    this.#replies = new ReplyParser({ maximumLines });
  }

  /** Octets came that were not read. */
  get holdsOctets(): boolean {
    return this.#inbound.length > 0;
  }

  /** Takes what the server sent, as a view. */
  push(bytes: Uint8Array): void {
    this.#inbound.push(bytes);
  }

  /** Forgets all that came, and the lines of a reply that is not whole. */
  clear(): void {
    this.#inbound.clear();
    this.#replies = new ReplyParser({ maximumLines: this.#maximumLines });
  }

  /**
   * The next reply, or what came in its place; undefined until there is more to read.
   * @param maximumLineLength in octets, CRLF included
   * @param isSecret asked of a line that is none of a reply: whether no error may quote it
   */
  next(
    maximumLineLength: number,
    isSecret: (line: Uint8Array) => boolean,
  ): Reply | RemoteProtocolError | undefined {
    for (;;) {
      const line = this.#inbound.nextLine(maximumLineLength);
      if (line === undefined) return undefined;
      switch (line.kind) {
        case 'line': {
          const read = this.#replies.push(line.octets);
          if (read === undefined) continue;
          return read instanceof RemoteProtocolError && isSecret(line.octets)
            ? new RemoteProtocolError(
                'A line in the SASL exchange, or one that quotes the credentials, is none of a reply (RFC 5321 §4.2)',
              )
            : read;
        }
        case 'malformed':
          return new RemoteProtocolError(
            'A reply line holds a bare CR, a bare LF or a NUL (RFC 5321 §2.3.8)',
          );
        case 'tooLong':
          return new RemoteProtocolError(
            `A reply line exceeds ${maximumLineLength} octets (maximumReplyLineLength)`,
          );
      }
    }
  }
}
