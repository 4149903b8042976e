/** The pool of connections, and transactions on them. */
import pg from 'pg';
import { DatabaseUnavailableError, readable } from './errors.js';

export type Value = string | number | boolean | null | Uint8Array | readonly (string | number | null)[];

export interface Queries {
  query<Row>(text: string, values?: readonly Value[]): Promise<readonly Row[]>;
}

export interface Database extends Queries {
  /** @param task what it throws rolls all back */
  transaction<T>(task: (queries: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly config: pg.ClientConfig;
  readonly maximumConnections: number;
  /** Secrets that must not be read in an error. */
  readonly hide: readonly string[];
  /** For tests, which let connections die. */
  readonly Client?: typeof pg.Client;
}

/**
 * Once per connection. A commit must be on the disk when it is answered, whatever the database's default is. And each statement
 * is made for finding its rows by an index, where a planner that takes its guesses for large would read whole tables.
 */
const SETTINGS = `SELECT ${['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']
  .map((name) => `set_config('${name}', 'off', false)`)
  .join(', ')},
  CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END`;

export async function prepareConnection(client: pg.ClientBase): Promise<void> {
  await client.query(SETTINGS);
}

export function openDatabase({ config, maximumConnections, hide, Client }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    ...config,
    ...(Client && { Client }),
    max: maximumConnections,
    onConnect: prepareConnection,
  } as pg.PoolConfig);
  // An idle connection was lost: the pool opens another when it is needed.
  pool.on('error', ignore);

  async function withClient<T>(task: (queries: Queries, isLost: () => boolean) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error) => {
      throw readable(error, hide);
    });
    // One that is lost between two queries says so by an event, and then by the next query.
    client.on('error', ignore);
    let isLost = false;
    const query = async <Row>(text: string, values: readonly Value[] = []) => {
      try {
        return (await client.query(text, values as unknown[])).rows as readonly Row[];
      } catch (error) {
        const thrown = readable(error, hide);
        isLost ||= thrown instanceof DatabaseUnavailableError;
        throw thrown;
      }
    };
    try {
      return await task({ query }, () => isLost);
    } finally {
      client.off('error', ignore);
      client.release(isLost);
    }
  }

  return {
    query: (text, values) => withClient(({ query }) => query(text, values)),
    transaction: (task) =>
      withClient(async (queries, isLost) => {
        await queries.query('BEGIN');
        try {
          const result = await task(queries);
          await queries.query('COMMIT');
          return result;
        } catch (error) {
          // The server rolls back by itself what a lost connection had begun.
          if (!isLost()) await queries.query('ROLLBACK').catch(ignore);
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}

function ignore(): void {}
