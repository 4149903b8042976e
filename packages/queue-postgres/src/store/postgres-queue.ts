/** What the store in PostgreSQL promises beyond the contract. */
import type { NewMessage, QueuedMessage, QueueStore } from '@sansmtp/queue';

/**
 * A client of the application's on which a transaction is open, in the database of the queue: a `Client` of `pg` or one that
 * its pool has given; never the pool itself, whose queries go to any connection.
 */
export interface TransactionClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export interface PutOptions {
  /**
   * Puts the message in this transaction: it is in the queue if and only if the transaction is committed, and no sooner. End
   * it soon after, for the chunks of a long body wait in it. @default one of the queue's own
   */
  readonly transaction?: TransactionClient;
}

export interface PostgresQueue extends QueueStore {
  /**
   * @inheritDoc
   * @throws {NoTransactionError} no transaction is open on the client; nothing is put
   * @throws {DatabaseUnavailableError} the database does not answer
   */
  put(message: NewMessage, body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<QueuedMessage>;
}
