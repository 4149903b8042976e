/**
 * How full the queue is. To count a long queue for each message would take longer than to put it; so it is counted now and then,
 * and in between this process adds what it puts itself.
 */
import { DEFAULT_MAXIMUM_MESSAGES, QueueFullError, type QueueLimits } from '@sansmtp/queue';
import type { Database } from '../database/database.js';
import type { Tables } from '../schema/tables.js';
import type { Departure } from './messages.js';

/** Milliseconds after which it is counted anew, and after which when it seems to be full. */
const RECOUNT = 10_000;
const RECOUNT_FULL = 1000;

export class Fill {
  readonly #database: Database;
  readonly #tables: Tables;
  readonly #maximumMessages: number;
  readonly #maximumOctets: number;
  #messages = 0;
  #octets = 0;
  #countedAt = Number.NEGATIVE_INFINITY;
  #counting: Promise<void> | undefined;

  constructor(database: Database, tables: Tables, limits: QueueLimits) {
    this.#database = database;
    this.#tables = tables;
    this.#maximumMessages = limits.maximumMessages ?? DEFAULT_MAXIMUM_MESSAGES;
    this.#maximumOctets = limits.maximumOctets ?? Number.POSITIVE_INFINITY;
  }

  put(octets: number): void {
    this.#messages += 1;
    this.#octets += octets;
  }

  left(departures: readonly Departure[]): void {
    for (const { octets } of departures) {
      this.#messages -= 1;
      this.#octets -= octets;
    }
  }

  /** @throws {QueueFullError} a message of that many octets, or more, has no place */
  async check(octets: number): Promise<void> {
    if (this.#isOlderThan(RECOUNT)) await this.#count();
    if (this.#objection(octets) !== undefined && this.#isOlderThan(RECOUNT_FULL)) await this.#count();
    const objection = this.#objection(octets);
    if (objection !== undefined) throw new QueueFullError(`The queue is full: it has ${objection}`);
  }

  #objection(octets: number): string | undefined {
    const [messages, stored] = [this.#messages, this.#octets];
    if (messages >= this.#maximumMessages) return `${messages} messages, ${this.#maximumMessages} at most`;
    if (stored + octets <= this.#maximumOctets) return undefined;
    return `${stored} octets, and with ${octets} more it would pass ${this.#maximumOctets}`;
  }

  #isOlderThan(milliseconds: number): boolean {
    return performance.now() - this.#countedAt > milliseconds;
  }

  /** One count at a time, whoever asks. */
  #count(): Promise<void> {
    this.#counting ??= (async () => {
      try {
        const [row] = await this.#database.query<{ messages: string; octets: string }>(
          `SELECT count(*) AS messages, coalesce(sum(size), 0) AS octets FROM ${this.#tables.message}`,
        );
        this.#messages = Number(row?.messages);
        this.#octets = Number(row?.octets);
        this.#countedAt = performance.now();
      } finally {
        this.#counting = undefined;
      }
    })();
    return this.#counting;
  }
}
