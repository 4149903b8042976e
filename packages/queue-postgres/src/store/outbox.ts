/** The transactional outbox: a message is put in a transaction of the application's, and so comes to be with all else in it. */
import type { NewMessage, QueuedMessage } from '@sansmtp/queue';
import type { Queries, Value } from '../database/database.js';
import { NoTransactionError, readable } from '../database/errors.js';
import type { Keeper } from '../database/keeper.js';
import type { Tables } from '../schema/tables.js';
import { gather } from './bodies.js';
import { insertMessage } from './messages.js';
import type { TransactionClient } from './postgres-queue.js';

export async function putInTransaction(
  client: TransactionClient,
  tables: Tables,
  keeper: Keeper,
  id: string,
  message: NewMessage,
  body: AsyncIterable<Uint8Array>,
  check: (octets: number) => Promise<void>,
): Promise<QueuedMessage> {
  const queries: Queries = {
    async query<Row>(text: string, values: readonly Value[] = []) {
      try {
        return (await client.query(text, [...values])).rows as readonly Row[];
      } catch (error) {
        throw readable(error, []);
      }
    },
  };
  const { query } = queries;
  let isStored = false;
  try {
    await requireTransaction(queries);
    const gathered = await gather(body, async (octets, number) => {
      await check((number + 1) * octets.length);
      isStored = true;
      await query(`INSERT INTO ${tables.chunk} (message, number, octets) VALUES ($1, $2, $3)`, [
        id,
        number,
        octets,
      ]);
    });
    await check(gathered.size);
    const put = await insertMessage(queries, tables, { id, message, body: gathered, isUploaded: false });
    // Told when it is committed: the server sees to that.
    await query('SELECT pg_notify($1, $2)', [keeper.channel, '']);
    return put;
  } catch (error) {
    // The application may commit all the same.
    if (isStored) await query(`DELETE FROM ${tables.chunk} WHERE message = $1`, [id]).catch(() => {});
    throw error;
  }
}

/** Outside of a transaction each query is one. */
async function requireTransaction({ query }: Queries): Promise<void> {
  const number = async () =>
    (await query<{ number: string }>('SELECT pg_current_xact_id()::text AS number'))[0]?.number;
  const first = await number();
  if (first === (await number())) return;
  throw new NoTransactionError(
    'No transaction is open on the client that was given: call client.query("BEGIN") first, on a client and not on a pool',
  );
}
