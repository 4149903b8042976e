/**
 * Replies that a server gives again and again, such as `250 2.1.0 Ok`: each is read once, and known by its octets from then on.
 *
 * - Equal to reading: what is known of a line is what `ReplyParser` made of the same octets, where no other lines stand before it.
 * - Only 250 and 354 are remembered, which answer a mail transaction that goes well; so nothing is of a SASL exchange.
 * - One reply is given to many, so it is frozen.
 */
import type { Reply } from '../../wire/replies/reply.js';

/** Longer lines are read each time, so that a session holds little of them. */
const MAXIMUM_OCTETS = 64;

/** Where the last digit of an enhanced status code stands, as in `250 2.1.5`: by it, replies to MAIL and RCPT differ. */
const DETAIL = 8;

/** A line takes the place of what came before it with the same length and detail: a power of two. */
const PLACES = 16;

interface Known {
  readonly octets: Uint8Array;
  readonly reply: Reply;
}

export class RepeatedReplies {
  readonly #known: (Known | undefined)[] = [];

  /** @param octets hold the line from `begin` to `end`, without its end, as for `ReplyParser` */
  find(octets: Uint8Array, begin: number, end: number): Reply | undefined {
    const known = this.#known[placeOf(octets, begin, end)];
    if (known === undefined || known.octets.length !== end - begin) return undefined;
    for (let i = begin; i < end; i++) if (known.octets[i - begin] !== octets[i]) return undefined;
    return known.reply;
  }

  /** @param reply what the line was read as; as it is to be given on */
  remember(line: Uint8Array, reply: Reply): Reply {
    const { code, lines } = reply;
    if (line.length > MAXIMUM_OCTETS || (code !== 250 && code !== 354)) return reply;
    Object.freeze(lines);
    this.#known[placeOf(line, 0, line.length)] = {
      octets: new Uint8Array(line),
      reply: Object.freeze(reply),
    };
    return reply;
  }
}

function placeOf(octets: Uint8Array, begin: number, end: number): number {
  const detail = begin + DETAIL < end ? (octets[begin + DETAIL] as number) : 0;
  return (end - begin + detail) & (PLACES - 1);
}
