/**
 * The header section of a message, looked at for UTF-8: fields, each on a line that begins with its name and a colon,
 * and on those behind it that begin with a blank (RFC 5322 §2.2). It ends at the first empty line (§2.1), or before one
 * that is nothing of the kind: text without a header is all body. Blanks may stand in front of the colon (§4.5), and
 * the line by which a mailbox file begins a message (`From `, RFC 4155) in front of all.
 *
 * What is found depends on the octets alone, not on how they were cut into chunks.
 */
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Printable US-ASCII (RFC 5322 §2.2); RFC 6532 leaves names as they were. */
function isOfName(octet: number): boolean {
  return octet > SPACE && octet < 0x7f && octet !== COLON;
}

export class HeaderSection {
  /** Throws at what is not UTF-8. */
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Where it stands: at the beginning of the first line or of another, in the name of a field or behind it. */
  #at: 'firstLine' | 'line' | 'name' | 'blank' | 'value' | 'body' = 'firstLine';
  /** The beginning of the first line, until it is known not to be that of a mailbox file. */
  #postmark: string | undefined = '';
  #isAscii = true;
  #isUtf8 = true;

  /** Takes the next part of the message. */
  push(chunk: Uint8Array): void {
    if (this.#at === 'body') return;
    const end = this.#endIn(chunk);
    if (this.#isUtf8) this.#decode(chunk.subarray(0, end), true);
  }

  /**
   * Whether it holds characters beyond ASCII (RFC 6532 §3.2): all of it is UTF-8 then. Octets in another encoding
   * make no internationalized header. Call it once, behind the message.
   */
  end(): boolean {
    if (this.#isUtf8) this.#decode(new Uint8Array(), false);
    return this.#isUtf8 && !this.#isAscii;
  }

  /**
   * Where it ends in the chunk: at the octet that no field can have there, or with the chunk. Of a line that turns out
   * to be body, what went before is ASCII.
   */
  #endIn(chunk: Uint8Array): number {
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] as number;
      if (octet === CR) continue; // part of the line end: a message with another is not sent
      this.#at = this.#after(octet);
      if (this.#at === 'body') return i;
      if (octet > 0x7f) this.#isAscii = false;
    }
    return chunk.length;
  }

  #after(octet: number): 'line' | 'name' | 'blank' | 'value' | 'body' {
    if (this.#isPostmark(octet)) return 'value';
    switch (this.#at) {
      case 'value':
        return octet === LF ? 'line' : 'value';
      case 'name':
        if (octet === SPACE || octet === TAB) return 'blank';
        if (octet === COLON) return 'value';
        break;
      case 'blank':
        if (octet === SPACE || octet === TAB) return 'blank';
        return octet === COLON ? 'value' : 'body';
      case 'line':
        if (octet === SPACE || octet === TAB) return 'value';
        break;
    }
    return isOfName(octet) ? 'name' : 'body';
  }

  /** `From `, or `>From ` where another program has been at it. */
  #isPostmark(octet: number): boolean {
    if (this.#postmark === undefined) return false;
    this.#postmark += String.fromCharCode(octet);
    const begins = ['From ', '>From '].some((each) => each.startsWith(this.#postmark ?? ''));
    const isWhole = begins && octet === SPACE;
    if (!begins || isWhole) this.#postmark = undefined;
    return isWhole;
  }

  #decode(octets: Uint8Array, stream: boolean): void {
    try {
      this.#decoder.decode(octets, { stream });
    } catch {
      this.#isUtf8 = false;
    }
  }
}
