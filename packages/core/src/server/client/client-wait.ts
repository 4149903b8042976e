/**
 * A wait that the client is made to have: before the greeting, to see whether it speaks early (RFC 5321 §3.1), or before a
 * refusal. Nothing is said meanwhile, and nothing of what the client sends is looked at; it costs one deadline and nothing
 * else.
 *
 * - A client that speaks before the greeting has shown what was to be seen: the wait is over.
 * - It is over as well when the client has ended its side, and at a shutdown: nobody is there to wait, or no time.
 */
import type { ServerInput } from '../contract/messages.js';

export class ClientWait {
  #until: number | undefined;
  #goOn: (() => void) | undefined;
  #isBeforeGreeting = false;

  /** When it is over; undefined: the client waits for nothing. */
  get until(): number | undefined {
    return this.#until;
  }

  get isOn(): boolean {
    return this.#until !== undefined;
  }

  begin(until: number, before: 'greeting' | 'refusal', goOn: () => void): void {
    this.#until = until;
    this.#isBeforeGreeting = before === 'greeting';
    this.#goOn = goOn;
  }

  /** Goes on if this ends the wait. */
  take({ type, now }: ServerInput): void {
    if (this.#until === undefined) return;
    if (type === 'lost') this.drop();
    else if (now >= this.#until || type === 'eof' || type === 'shutdown') this.#end();
    else if (type === 'bytes' && this.#isBeforeGreeting) this.#end();
  }

  /** It is over, and nothing goes on. */
  drop(): void {
    this.#until = undefined;
  }

  #end(): void {
    this.#until = undefined;
    this.#goOn?.();
  }
}
