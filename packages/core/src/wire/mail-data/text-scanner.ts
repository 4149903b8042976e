/**
 * Text whose end is known beforehand, as in a chunk after BDAT (RFC 3030 §2): looks whether its lines are well-formed.
 * Without the end to find and transparency to undo, no octet is held back, and none is changed, unless bare LFs are to
 * become CRLFs.
 *
 * Data and flaw depend on the octets alone, never on how they were cut into chunks. The flaw is the same as
 * `MailDataDecoder` would find.
 */

import { CR, indexOfControl, LF, NUL, wordsIn } from '../octets.js';
import { LineFlaws, type LineRules, type MailDataFlaw } from './line-flaws.js';
import { edited } from './mail-data-edits.js';

export class TextScanner {
  readonly #rules: LineRules;
  readonly #flaws: LineFlaws;
  #afterCarriageReturn = false;
  /** Octets of the current line so far. */
  #lineLength = 0;

  constructor(rules: LineRules) {
    this.#rules = rules;
    this.#flaws = new LineFlaws(rules);
  }

  /** The first flaw that was found. */
  get flaw(): MailDataFlaw | undefined {
    return this.#flaws.flaw;
  }

  /** Looks at the next octets of the text, and gives them as they are to be stored: a view, unless a CR was added. */
  scan(octets: Uint8Array): Uint8Array {
    const { bareNewline } = this.#rules;
    const words = wordsIn(octets);
    let afterCarriageReturn = this.#afterCarriageReturn;
    let lineBegin = -this.#lineLength;
    let edits: number[] | undefined;
    for (let i = 0; i < octets.length; i++) {
      if (!afterCarriageReturn) {
        i = indexOfControl(octets, words, i);
        if (i === octets.length) break;
      }
      const octet = octets[i] as number;
      if (octet === LF && (afterCarriageReturn || bareNewline !== 'reject')) {
        const isAdded = !afterCarriageReturn && bareNewline === 'normalize';
        if (isAdded) {
          edits ??= [];
          edits.push(~i);
        }
        this.#flaws.endLine(i - lineBegin + (isAdded ? 1 : 0));
        afterCarriageReturn = false;
        lineBegin = i + 1;
        continue;
      }
      if (afterCarriageReturn) this.#flaws.meetBare('bareCarriageReturn', i - lineBegin);
      if (octet === LF) this.#flaws.meetBare('bareLineFeed', i - lineBegin);
      else if (octet === NUL) this.#flaws.meetBare('nul', i - lineBegin);
      afterCarriageReturn = octet === CR;
    }
    this.#afterCarriageReturn = afterCarriageReturn;
    this.#lineLength = octets.length - lineBegin;
    this.#flaws.meetLength(this.#lineLength);
    return edits === undefined ? octets : edited(octets, 0, octets.length, edits);
  }

  /** The text is complete: a CR at its end is bare. */
  end(): void {
    if (this.#afterCarriageReturn) this.#flaws.meetBare('bareCarriageReturn', this.#lineLength);
  }
}
