/**
 * What the server sends, read as whole replies (RFC 5321 §4.2).
 *
 * - A reply is given when its last line has come. What follows it is not looked at before the next is asked for.
 * - What is given depends on the octets alone, never on how they were cut into chunks, limits included.
 * - A few empty lines are passed over: some servers send them, and they answer nothing.
 * - After a line that is none of a reply nothing should be read: nobody could say which command it answers.
 */
import { RemoteProtocolError } from '../../errors.js';
import { type Reply, ReplyParser } from '../../wire/replies/reply.js';
import { RepeatedReplies } from './repeated-replies.js';
import { ReplyLines } from './reply-lines.js';

/** Empty lines that are passed over in front of a line of a reply. */
const MAXIMUM_EMPTY_LINES = 8;

/**
 * Whether no error may quote this line.
 * @param cut more of it may follow than is known
 */
export type IsSecretLine = (line: Uint8Array, cut?: 'cut') => boolean;

export class ReplyReader {
  readonly #lines = new ReplyLines();
  readonly #replies: ReplyParser;
  readonly #repeated = new RepeatedReplies();
  /** Lines of a reply have come that has no end yet. */
  #isAmid = false;
  /** Empty lines since the last line of a reply. */
  #emptyLines = 0;

  constructor(maximumLines: number) {
    this.#replies = new ReplyParser({ maximumLines });
  }

  /** Octets came that were not read. */
  get holdsOctets(): boolean {
    return this.#lines.length > 0;
  }

  /** Takes what the server sent, as a view. */
  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  /**
   * The next reply, or what came in its place; undefined until there is more to read.
   * @param maximumLineLength in octets, line end included
   * @param isSecret asked of the lines that an error would quote: whether none may
   */
  next(maximumLineLength: number, isSecret: IsSecretLine): Reply | RemoteProtocolError | undefined {
    for (;;) {
      const lines = this.#lines;
      const found = lines.next(maximumLineLength);
      if (found === undefined) return undefined;
      if (found === 'tooLong') {
        const said = this.unfinished(isSecret);
        return new RemoteProtocolError(
          `A reply line exceeds ${maximumLineLength} octets (maximumReplyLineLength): ${said}`,
        );
      }
      const { octets, lineBegin, lineEnd } = lines;
      if (lineBegin === lineEnd && this.#emptyLines < MAXIMUM_EMPTY_LINES) {
        this.#emptyLines += 1;
        continue;
      }
      this.#emptyLines = 0;
      const isAmid = this.#isAmid;
      const known = isAmid ? undefined : this.#repeated.find(octets, lineBegin, lineEnd);
      if (known !== undefined) return known;
      const { line } = lines;
      const read = this.#replies.push(line, isSecret);
      this.#isAmid = read === undefined;
      if (read === undefined) continue;
      return isAmid || read instanceof RemoteProtocolError ? read : this.#repeated.remember(line, read);
    }
  }

  /**
   * What has come of a reply that is not whole, as an error may quote it; undefined if that is nothing.
   * @param isSecret as for `next`
   */
  unfinished(isSecret: IsSecretLine): string | undefined {
    const { rest } = this.#lines;
    return this.#replies.unfinished(rest, (line) => isSecret(line, line === rest ? 'cut' : undefined));
  }
}
