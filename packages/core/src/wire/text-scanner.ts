/**
 * Text whose end is known beforehand, as in a chunk behind BDAT (RFC 3030 §2): looks whether its lines are
 * well-formed, and changes nothing. Without the end to find and transparency to undo, no octet is held back.
 *
 * The flaw depends on the octets alone, never on how they were cut into chunks. It is the same as `MailDataDecoder`
 * would find.
 */
import type { BareNewline } from './inbound.js';
import type { MailDataFlaw } from './mail-data-decoder.js';
import { CR, indexOfControl, LF, NUL, wordsIn } from './octets.js';

export class TextScanner {
  readonly #reject: boolean;
  readonly #maximumLineLength: number;
  #afterCarriageReturn = false;
  /** Octets of the current line so far. */
  #lineLength = 0;
  #flaw: MailDataFlaw | undefined;

  /**
   * @param options.bareNewline whether a bare CR, bare LF or NUL is a flaw, or data like any other
   * @param options.maximumLineLength in octets with the CRLF; at least 2, possibly infinite
   */
  constructor(options: { readonly bareNewline: BareNewline; readonly maximumLineLength: number }) {
    this.#reject = options.bareNewline === 'reject';
    this.#maximumLineLength = options.maximumLineLength;
  }

  /** The first flaw that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaw;
  }

  /** Looks at the next octets of the text. */
  scan(octets: Uint8Array): void {
    const words = wordsIn(octets);
    let afterCarriageReturn = this.#afterCarriageReturn;
    let lineBegin = -this.#lineLength;
    for (let i = 0; i < octets.length; i++) {
      if (!afterCarriageReturn) {
        i = indexOfControl(octets, words, i);
        if (i === octets.length) break;
      }
      const octet = octets[i] as number;
      if (octet === LF && afterCarriageReturn) {
        if (i - lineBegin >= this.#maximumLineLength) this.#flaw ??= 'lineTooLong';
        afterCarriageReturn = false;
        lineBegin = i + 1;
        continue;
      }
      if (octet === LF || octet === NUL || afterCarriageReturn) this.#meetBare(i - lineBegin);
      afterCarriageReturn = octet === CR;
    }
    this.#afterCarriageReturn = afterCarriageReturn;
    this.#lineLength = octets.length - lineBegin;
    if (this.#lineLength >= this.#maximumLineLength) this.#flaw ??= 'lineTooLong';
  }

  /** The text is complete: a CR at its end is bare. */
  end(): void {
    if (this.#afterCarriageReturn) this.#meetBare(this.#lineLength);
  }

  /** A bare CR, bare LF or NUL became known at this position of its line. */
  #meetBare(position: number): void {
    // The line was too long before that, though its length is looked at only where it ends.
    if (position >= this.#maximumLineLength) this.#flaw ??= 'lineTooLong';
    else if (this.#reject) this.#flaw ??= 'bareNewline';
  }
}
