/**
 * The hash of a body in the relaxed canonicalization (RFC 6376 §3.4.4): white space before the end of a line does not count, nor how
 * much of it stands within, nor empty lines at the end.
 *
 * It takes each octet once, and holds none: of lines that may be the last, and of white space that may be, it counts. A LF by itself
 * ends a line, for so it is sent.
 */
import { createHash } from 'node:crypto';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;

const CRLF = Buffer.from('\r\n');
const MANY_CRLFS = Buffer.from('\r\n'.repeat(4_096));

export class RelaxedBodyHash {
  readonly #hash = createHash('sha256');
  /** Ends of lines since the last octet that counts. */
  #breaks = 0;
  /** White space since then, or since the line's beginning. */
  #blank = false;
  /** The last octet was a CR: what it is, the next one tells. */
  #return = false;
  #isEmpty = true;

  update(chunk: Uint8Array): void {
    // A CR and a blank may be left over from before, and each octet may have an end of line in front of it.
    const out = Buffer.allocUnsafe(chunk.length * 2 + 4);
    let length = 0;
    const put = (octet: number): void => {
      if (this.#breaks > 0) {
        this.#hash.update(out.subarray(0, length));
        length = 0;
        this.#putBreaks();
      }
      if (this.#blank) out[length++] = SP;
      this.#blank = false;
      out[length++] = octet;
      this.#isEmpty = false;
    };
    for (const octet of chunk) {
      if (octet === LF) {
        this.#return = false;
        this.#blank = false;
        this.#breaks += 1;
        continue;
      }
      if (this.#return) {
        this.#return = false;
        put(CR);
      }
      if (octet === CR) this.#return = true;
      else if (octet === SP || octet === TAB) this.#blank = true;
      else put(octet);
    }
    this.#hash.update(out.subarray(0, length));
  }

  /** In base64. */
  digest(): string {
    if (this.#return) this.update(Buffer.of(LF));
    if (!this.#isEmpty) this.#hash.update(CRLF);
    return this.#hash.digest('base64');
  }

  #putBreaks(): void {
    for (; this.#breaks > 4_096; this.#breaks -= 4_096) this.#hash.update(MANY_CRLFS);
    this.#hash.update(MANY_CRLFS.subarray(0, this.#breaks * 2));
    this.#breaks = 0;
  }
}
