/**
 * The mail data of one message on its way through a server session: as it stands behind DATA (RFC 5321 §4.5.2), or
 * in chunks behind BDAT (RFC 3030 §2). Its octets are looked at as they come; none is kept.
 *
 * The first flaw that is found stands, and what arrives from there on is dropped. Which one is found first does not
 * depend on how the octets were cut: none is looked at beyond the one that makes the message too large.
 */
import type { BareNewline } from '../../wire/inbound.js';
import type { MailDataFlaw } from '../../wire/mail-data/line-flaws.js';
import { MailDataDecoder } from '../../wire/mail-data/mail-data-decoder.js';
import { TextScanner } from '../../wire/mail-data/text-scanner.js';
import { NOTHING } from '../../wire/octets.js';
import type { MessageFlaw } from '../chart/chart-events.js';

export interface ReceivingOptions {
  readonly bareNewline: BareNewline;
  readonly maximumTextLineLength: number;
  readonly maximumMessageSize: number;
}

/** What some of the input came to. */
export interface Received {
  /** Mail data to hand on. */
  readonly data: Uint8Array;
  /** Octets of the input that were used up. */
  readonly consumed: number;
  /** The mail data has ended, or the chunk of it. */
  readonly ended: boolean;
}

export class Receiving {
  readonly #maximumSize: number;
  /** An octet of the input may come to two. */
  readonly #mayGrow: boolean;
  /** Behind DATA. */
  readonly #decoder: MailDataDecoder | undefined;
  /** Behind BDAT, unless the message is declared to be binary. */
  readonly #scanner: TextScanner | undefined;
  /** Octets of the announced chunk that are still to come. */
  #left = 0;
  #last = false;
  #size = 0;
  #flaw: MessageFlaw | undefined;

  /**
   * @param way `binary` chunks may hold any octets (RFC 3030 §3)
   * @param afterBareLineFeed the command line before it ended in LF alone
   */
  constructor(
    way: 'data' | 'chunks' | 'binary',
    options: ReceivingOptions,
    { afterBareLineFeed = false } = {},
  ) {
    const { bareNewline, maximumTextLineLength: maximumLineLength } = options;
    const rules = { bareNewline, maximumLineLength };
    this.#maximumSize = options.maximumMessageSize;
    this.#mayGrow = bareNewline === 'normalize';
    if (way === 'data') this.#decoder = new MailDataDecoder(rules, { afterBareLineFeed });
    if (way === 'chunks') this.#scanner = new TextScanner(rules);
  }

  /** What of its lines is malformed. */
  get lineFlaw(): MailDataFlaw | undefined {
    return (this.#decoder ?? this.#scanner)?.flaw;
  }

  /** Octets so far, transparency undone. */
  get size(): number {
    return this.#size;
  }

  /** The first that was found. Final when the mail data has ended. */
  get flaw(): MessageFlaw | undefined {
    return this.#flaw;
  }

  /** The mail data comes in chunks: the one that was announced last is the last one; undefined behind DATA. */
  get last(): boolean | undefined {
    return this.#decoder === undefined ? this.#last : undefined;
  }

  /** All of the announced chunk is here. */
  get isComplete(): boolean {
    return this.#decoder === undefined && this.#left === 0;
  }

  /** The next chunk begins. */
  announce(size: number, last: boolean): void {
    this.#left = size;
    this.#last = last;
  }

  /** Takes input; it may be empty, for a chunk may. */
  take(input: Uint8Array): Received {
    const room = this.#flaw === undefined ? this.#room : input.length;
    const within = room < input.length ? input.subarray(0, room) : input;
    const received = this.#decoder === undefined ? this.#takeChunk(within) : this.#decoder.decode(within);
    this.#size += received.data.length;
    if (this.#flaw !== undefined) return { ...received, data: NOTHING };
    if (this.lineFlaw !== undefined) this.#flaw = 'malformed';
    else if (this.#size > this.#maximumSize) this.#flaw = 'tooLarge';
    return this.#flaw === undefined ? received : { ...received, data: NOTHING };
  }

  /** Octets of the input that can be looked at before the message might be too large: one at least. */
  get #room(): number {
    const left = this.#maximumSize - this.#size;
    return Math.max(this.#mayGrow ? Math.floor(left / 2) : left, 1);
  }

  #takeChunk(input: Uint8Array): Received {
    const octets = this.#left < input.length ? input.subarray(0, this.#left) : input;
    this.#left -= octets.length;
    const data = this.#scanner?.scan(octets) ?? octets;
    const ended = this.#left === 0;
    if (ended && this.#last) this.#scanner?.end();
    return { data, consumed: octets.length, ended };
  }
}
