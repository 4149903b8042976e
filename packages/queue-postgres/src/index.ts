export { DatabaseUnavailableError, NoTransactionError } from './database/errors.js';
export { openPostgresQueue, type PostgresConnection, type PostgresQueueOptions } from './open-queue.js';
export type { PostgresQueue, PutOptions, TransactionClient } from './store/postgres-queue.js';
