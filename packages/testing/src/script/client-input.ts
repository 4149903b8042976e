/** What a client sends, cut into what a server waits for: a line, or so many octets. It judges nothing. */
import { concatenate } from '@sansmtp/core';

const LF = 0x0a;

/** Octets that may wait until they are asked for; then the client is held back. */
const HELD_OCTETS = 65_536;

/** What a line may have. */
const LINE_OCTETS = 1_000_000;

export class ClientInput {
  #held: Uint8Array = new Uint8Array(0);
  /** Octets of `#held` that hold no LF. */
  #searched = 0;
  #ended = false;
  /** What was asked for since `passed()`. */
  #taken: Uint8Array[] = [];
  #wake: () => void = () => {};
  readonly #source: { pause(): void; resume(): void };

  constructor(source: { pause(): void; resume(): void }) {
    this.#source = source;
  }

  push(octets: Uint8Array): void {
    this.#held = concatenate([this.#held, octets]);
    if (this.#held.length > HELD_OCTETS) this.#source.pause();
    this.#wake();
  }

  /** Nothing follows. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Octets that have come and were not asked for yet. */
  get ahead(): number {
    return this.#held.length;
  }

  /** All that was asked for since the last time, as it came. */
  passed(): Uint8Array {
    return concatenate(this.#taken.splice(0));
  }

  /** All that has come and was not asked for. */
  rest(): Uint8Array {
    return this.#take(this.#held.length);
  }

  /** What has come and was not asked for is forgotten: TLS begins. */
  clear(): void {
    this.#held = new Uint8Array(0);
    this.#searched = 0;
  }

  /** The next line with its end; undefined: the client has left, or sends a line of more than a million octets. */
  async line(): Promise<Uint8Array | undefined> {
    for (;;) {
      const end = this.#held.indexOf(LF, this.#searched);
      if (end >= 0) return this.#take(end + 1);
      this.#searched = this.#held.length;
      if (this.#ended || this.#searched > LINE_OCTETS) return undefined;
      await this.#more();
    }
  }

  /** At most so many octets, as soon as there are any; undefined: the client has left. */
  async octets(count: number): Promise<Uint8Array | undefined> {
    while (this.#held.length === 0) {
      if (this.#ended) return undefined;
      await this.#more();
    }
    return this.#take(Math.min(count, this.#held.length));
  }

  #take(count: number): Uint8Array {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    this.#searched = 0;
    this.#taken.push(taken);
    return taken;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#source.resume();
    });
  }
}
