/**
 * One direction of a memory connection: a queue of octets, each due at a moment, with an end behind it.
 *
 * A data structure only: it calls nobody and knows no time but the moments it is given. Octets leave in the
 * order they came; where one write ended and the next began is kept only for the reader that wants it.
 */
interface Chunk {
  readonly bytes: Uint8Array;
  readonly due: number;
}

/** Consumed chunks stay in the array up to this many: cutting it at every chunk would cost the square. */
const CONSUMED_CHUNKS = 1024;

export class Pipe {
  #chunks: Chunk[] = [];
  #head = 0;
  /** Octets of the head chunk that were already taken. */
  #offset = 0;
  #length = 0;
  #endDue: number | undefined;
  #closed = false;

  /** Octets written and not yet taken. */
  get length(): number {
    return this.#length;
  }

  write(bytes: Uint8Array, due: number): void {
    if (this.#closed || bytes.length === 0) return;
    this.#chunks.push({ bytes, due });
    this.#length += bytes.length;
  }

  end(due: number): void {
    if (!this.#closed) this.#endDue = due;
  }

  /** When the next octets are due; undefined when there are none. */
  get octetsDue(): number | undefined {
    return this.#chunks[this.#head]?.due;
  }

  /** When the end is due; undefined as long as octets are before it, or without an end. */
  get endDue(): number | undefined {
    return this.#length === 0 ? this.#endDue : undefined;
  }

  /** A copy of what is left of the first write, at most `limit` octets of it. */
  takeWrite(limit: number): Uint8Array {
    const chunk = this.#chunks[this.#head];
    return chunk === undefined ? new Uint8Array(0) : this.#takeFrom(chunk, limit);
  }

  /** A copy of the next octets due by `now`, at most `limit`, across the borders of writes. */
  take(limit: number, now: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < limit) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined || chunk.due > now) break;
      const part = this.#takeFrom(chunk, limit - length);
      parts.push(part);
      length += part.length;
    }
    const [first] = parts;
    if (first !== undefined && parts.length === 1) return first;
    const bytes = new Uint8Array(length);
    let position = 0;
    for (const part of parts) {
      bytes.set(part, position);
      position += part.length;
    }
    return bytes;
  }

  /** Loses what is on the way, and whatever is sent later. */
  close(): void {
    this.#closed = true;
    this.#chunks = [];
    this.#head = 0;
    this.#offset = 0;
    this.#length = 0;
    this.#endDue = undefined;
  }

  #takeFrom(chunk: Chunk, limit: number): Uint8Array {
    // Not by slice(), which gives a view where the peer wrote a Buffer of Node.
    const bytes = new Uint8Array(chunk.bytes.subarray(this.#offset, this.#offset + limit));
    this.#offset += bytes.length;
    this.#length -= bytes.length;
    if (this.#offset === chunk.bytes.length) this.#dropHead();
    return bytes;
  }

  #dropHead(): void {
    this.#head++;
    this.#offset = 0;
    if (this.#head === this.#chunks.length || this.#head === CONSUMED_CHUNKS) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
