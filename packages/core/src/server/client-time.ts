/**
 * How long the client may take, and the application: which moment is the last at which a session has to be told the time.
 *
 * - The chart sets a deadline as it enters a state, and clears it as it leaves; each sign of life restarts it.
 * - Mail data must not come too slowly (`mail-data-rate.ts`). Only time in which the client is read from counts.
 * - Where the application does not keep up with the mail data, the client is not read from: it then has all the time, and the
 *   application as much as for a decision.
 * - The whole session has an end, which acts only where no mail transaction is open.
 */
import { Deadlines } from '../deadlines.js';
import type { ResolvedServerOptions } from './contract/options.js';
import { MailDataRate } from './mail-data/mail-data-rate.js';

const NEVER = Number.POSITIVE_INFINITY;

export class ClientTime {
  readonly deadlines = new Deadlines();
  readonly #options: ResolvedServerOptions;
  /** In monotonic milliseconds. */
  #now: number;
  /** When the session has lasted too long. */
  readonly #endsAt: number;
  /** Of the message that is received. */
  #rate: MailDataRate | undefined;
  /** Since when the host does not read, because the application does not keep up with the mail data. */
  #heldBackSince: number | undefined;

  constructor(options: ResolvedServerOptions, now: number) {
    this.#options = options;
    this.#now = now;
    this.#endsAt = now + options.timeouts.session;
  }

  get now(): number {
    return this.#now;
  }

  /**
   * It is later now.
   * @param isReceiving mail data was awaited until now
   */
  pass(now: number, isReceiving: boolean): void {
    if (isReceiving && !this.isHeldBack) this.#rate?.spend(now - this.#now);
    this.#now = now;
  }

  get isOver(): boolean {
    return this.#now >= this.#endsAt;
  }

  get isHeldBack(): boolean {
    return this.#heldBackSince !== undefined;
  }

  holdBack(): void {
    this.#heldBackSince ??= this.#now;
  }

  /** The client is read from again, and has its time anew: for the application keeps up, or the message is over. */
  readOn(): void {
    if (!this.isHeldBack) return;
    this.#heldBackSince = undefined;
    this.deadlines.restart(this.#now);
  }

  /** The client's time for its message begins. */
  watchRate(): void {
    const { minimumMailDataRate, timeouts } = this.#options;
    this.#rate = new MailDataRate(minimumMailDataRate, timeouts.mailData);
  }

  /** So many octets of the message came. */
  earn(octets: number): void {
    this.#rate?.earn(octets);
  }

  /** The mail data that was awaited has come too slowly. */
  get isTooSlow(): boolean {
    return this.#rate?.left === 0;
  }

  /**
   * When to look again at the latest; undefined: nothing ends by itself.
   * @param mayEnd the session may end by its own time
   */
  next(isReceiving: boolean, mayEnd: boolean): number | undefined {
    let earliest: number;
    if (this.#heldBackSince !== undefined) {
      earliest = this.#heldBackSince + this.#options.timeouts.decision;
    } else {
      earliest = this.deadlines.next() ?? NEVER;
      if (mayEnd) earliest = Math.min(earliest, this.#endsAt);
      if (isReceiving) earliest = Math.min(earliest, this.#now + (this.#rate?.left ?? NEVER));
    }
    return earliest === NEVER ? undefined : earliest;
  }
}
