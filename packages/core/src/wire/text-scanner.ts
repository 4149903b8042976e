/**
 * Text whose end is known beforehand, as in a chunk behind BDAT (RFC 3030 §2): looks whether its lines are
 * well-formed, and changes nothing. Without the end to find and transparency to undo, no octet is held back.
 *
 * The flaw depends on the octets alone, never on how they were cut into chunks. It is the same as `MailDataDecoder`
 * would find.
 */
import { LineFlaws, type LineRules, type MailDataFlaw } from './line-flaws.js';
import { CR, indexOfControl, LF, NUL, wordsIn } from './octets.js';

export class TextScanner {
  readonly #flaws: LineFlaws;
  #afterCarriageReturn = false;
  /** Octets of the current line so far. */
  #lineLength = 0;

  constructor(rules: LineRules) {
    this.#flaws = new LineFlaws(rules);
  }

  /** The first flaw that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaws.flaw;
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
        this.#flaws.meetLength(i - lineBegin);
        afterCarriageReturn = false;
        lineBegin = i + 1;
        continue;
      }
      if (octet === LF || octet === NUL || afterCarriageReturn) this.#flaws.meetBare(i - lineBegin);
      afterCarriageReturn = octet === CR;
    }
    this.#afterCarriageReturn = afterCarriageReturn;
    this.#lineLength = octets.length - lineBegin;
    this.#flaws.meetLength(this.#lineLength);
  }

  /** The text is complete: a CR at its end is bare. */
  end(): void {
    if (this.#afterCarriageReturn) this.#flaws.meetBare(this.#lineLength);
  }
}
