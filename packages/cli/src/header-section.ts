/**
 * The header section of a message: what stands before its first empty line (RFC 5322 §2.1), looked at for UTF-8.
 *
 * What is found depends on the octets alone, not on how they were cut into chunks.
 */
const LF = 0x0a;
const CR = 0x0d;

export class HeaderSection {
  /** Throws at what is not UTF-8. */
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #isOver = false;
  #lineIsEmpty = true;
  #isAscii = true;
  #isUtf8 = true;

  /** Takes the next part of the message. */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
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

  /** Where it ends in the chunk: behind its empty line, or with the chunk. */
  #endIn(chunk: Uint8Array): number {
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i] as number;
      if (octet === LF) {
        if (this.#lineIsEmpty) {
          this.#isOver = true;
          return i + 1;
        }
        this.#lineIsEmpty = true;
      } else if (octet !== CR) {
        this.#lineIsEmpty = false;
        if (octet > 0x7f) this.#isAscii = false;
      }
    }
    return chunk.length;
  }

  #decode(octets: Uint8Array, stream: boolean): void {
    try {
      this.#decoder.decode(octets, { stream });
    } catch {
      this.#isUtf8 = false;
    }
  }
}
