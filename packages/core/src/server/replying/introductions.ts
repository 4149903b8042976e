/**
 * What the server says of itself, the greeting and the reply to EHLO: made once for all sessions that have the same
 * options, for it differs only by what is offered, and each new connection asks for it.
 *
 * - Nothing is stored that somebody else has a hand in: words of the application's own, what it withholds, what service
 *   extensions of its own offer. Those are asked each time.
 * - What is stored differs by how a client's connection stands; there are a handful of such standings.
 */
import type { SessionStanding } from '../../extensions/contract/extension.js';
import { standardExtensions } from '../../extensions/lists.js';
import { offeredKeywords } from '../../extensions/table.js';
import { formatReply } from '../../wire/replies/reply.js';
import type { ResolvedServerOptions } from '../contract/options.js';
import { defaultReplies, introduction } from '../decisions/replies.js';
import { NOTHING_WITHHELD, type ResolvedWithheld } from '../decisions/withholding.js';

/** What a client is offered, with HELO nothing. */
export interface Offer {
  readonly standing: SessionStanding | undefined;
  readonly withheld: ResolvedWithheld;
  /** As they stand in the reply to EHLO. */
  readonly keywords: readonly string[];
  /** The reply to EHLO as it goes to the client, if nobody has other words for it; absent where it is not stored. */
  readonly octets?: Uint8Array;
}

export class Introductions {
  /** As it goes to the client, if nobody has other words for it. */
  readonly greeting: Uint8Array;
  /** To HELO nothing is offered. */
  readonly #toHelo: Offer;
  readonly #hostname: string;
  readonly #extensions: ResolvedServerOptions['extensions'];
  /** All that they offer is ours to say, and the same for the same standing. */
  readonly #areOurs: boolean;
  readonly #offers = new Map<string, Offer>();

  constructor({ hostname, extensions }: Pick<ResolvedServerOptions, 'hostname' | 'extensions'>) {
    this.greeting = formatReply(introduction(hostname, defaultReplies.connect.accept, []));
    const octets = formatReply(introduction(hostname, defaultReplies.hello.accept, []));
    this.#toHelo = { standing: undefined, withheld: NOTHING_WITHHELD, keywords: [], octets };
    this.#hostname = hostname;
    this.#extensions = extensions;
    this.#areOurs = extensions.every((extension) => standardExtensions.includes(extension));
  }

  /** What a client is told that does not ask for extensions. */
  offerToHelo(withheld: ResolvedWithheld): Offer {
    return withheld === NOTHING_WITHHELD ? this.#toHelo : { ...this.#toHelo, withheld };
  }

  /**
   * What is offered to a client that stands so.
   * @throws what an extension makes impossible to offer, see `offeredKeywords`
   */
  offerTo(standing: SessionStanding, withheld: ResolvedWithheld): Offer {
    if (!this.#areOurs || withheld !== NOTHING_WITHHELD) return this.#make(standing, withheld);
    const { secured, startTls, trusted, mechanisms } = standing;
    const key = `${secured} ${startTls} ${trusted} ${mechanisms.join(' ')}`;
    const known = this.#offers.get(key);
    if (known !== undefined) return known;
    const made = this.#make(standing, withheld);
    const reply = introduction(this.#hostname, defaultReplies.hello.accept, made.keywords);
    const stored = { ...made, octets: formatReply(reply) };
    this.#offers.set(key, stored);
    return stored;
  }

  #make(standing: SessionStanding, withheld: ResolvedWithheld): Offer {
    return { standing, withheld, keywords: offeredKeywords(this.#extensions, standing) };
  }
}
