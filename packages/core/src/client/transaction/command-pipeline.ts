/**
 * The commands of one mail transaction, on their way to the server in their order: which may be written now,
 * and which of those written have no reply yet.
 *
 * - One command may always be in flight, however long.
 * - Further ones may be written ahead of its reply as long as all in flight together do not exceed the
 *   maximum. With a maximum of 0 that is none: each command waits for the reply to the one before.
 * - More is written only when half of the maximum has been answered: commands that follow their replies one
 *   by one would each make a packet of their own.
 */
import { concatenate } from '../../wire/octets.js';

export class CommandPipeline {
  readonly #maximumOctets: number;
  #commands: readonly Uint8Array[];
  #written = 0;
  #answered = 0;
  /** Octets of the commands that were written and not answered. */
  #octets = 0;

  constructor(commands: readonly Uint8Array[], maximumOctetsInFlight: number) {
    this.#commands = commands;
    this.#maximumOctets = maximumOctetsInFlight;
  }

  /** A command that was written has no reply yet. */
  get inFlight(): boolean {
    return this.#answered < this.#written;
  }

  /** The commands to write now, as one; undefined if none may be, or none is left. */
  take(): Uint8Array | undefined {
    if (this.inFlight && this.#octets > this.#maximumOctets / 2) return undefined;
    const first = this.#written;
    for (;;) {
      const command = this.#commands[this.#written];
      if (command === undefined) break;
      if (this.inFlight && this.#octets + command.length > this.#maximumOctets) break;
      this.#octets += command.length;
      this.#written += 1;
    }
    if (this.#written === first) return undefined;
    if (this.#written === first + 1) return this.#commands[first];
    return concatenate(this.#commands.slice(first, this.#written));
  }

  /** The oldest command in flight has its reply. */
  answer(): void {
    this.#octets -= this.#commands[this.#answered]?.length ?? 0;
    this.#answered += 1;
  }

  /** Nothing more will be written; what is in flight still gets its replies. */
  stop(): void {
    this.#commands = this.#commands.slice(0, this.#written);
  }
}
