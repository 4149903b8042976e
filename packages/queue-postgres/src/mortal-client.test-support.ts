/**
 * Clients of PostgreSQL that all die at once, as with their process: each later query rejects, and the server sees the end. Nor do they
 * connect again: what belonged to the process lives on here and tries to, and hundreds of dead ones would keep the server busy.
 */
import pg from 'pg';
import type { ClientClass } from './open-queue.js';

export class MortalClients {
  readonly Client: ClientClass;
  readonly #name: string;
  readonly #alive = new Set<pg.Client>();
  #left = Number.POSITIVE_INFINITY;
  /** Queries that were sent. */
  queries = 0;

  /** @param name by which the server knows the connections */
  constructor(name: string) {
    this.#name = name;
    const mortals = this;
    this.Client = class extends pg.Client {
      constructor(config?: string | pg.ClientConfig) {
        super({ ...(config as pg.ClientConfig), application_name: name });
        mortals.#alive.add(this);
      }

      // biome-ignore lint/suspicious/noExplicitAny: one for all the overloads of pg
      override connect(onConnected?: any): any {
        if (mortals.#left >= 0) return super.connect(onConnected);
        const error = new Error('The process has died');
        if (onConnected === undefined) return Promise.reject(error);
        queueMicrotask(() => onConnected(error));
      }

      // biome-ignore lint/suspicious/noExplicitAny: one for all the overloads of pg
      override query(...given: any[]): any {
        const query = super.query.bind(this) as (...given: unknown[]) => Promise<unknown>;
        return mortals.#query(() => query(...given));
      }
    };
  }

  dieAfter(queries: number): void {
    this.#left = queries;
  }

  die(): void {
    this.#left = -1;
    for (const client of this.#alive) {
      const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
      connection.stream.destroy();
    }
    this.#alive.clear();
  }

  /** Resolves when the server has ended all that was under way. */
  async gone(observer: pg.Pool): Promise<void> {
    for (;;) {
      const { rowCount } = await observer.query(
        'SELECT FROM pg_stat_activity WHERE application_name = $1 LIMIT 1',
        [this.#name],
      );
      if (rowCount === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #query(send: () => Promise<unknown>): Promise<unknown> {
    if (this.#left < 0) throw new Error('The process has died');
    this.queries++;
    if (this.#left-- > 0) return send();
    // The last one is answered, and nobody reads it; or it is not even sent: by turns.
    if (this.queries % 2 === 0) await send().catch(() => {});
    this.die();
    throw new Error('The process dies');
  }
}
