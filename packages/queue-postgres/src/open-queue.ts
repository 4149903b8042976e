/** Opens a queue in PostgreSQL. */
import { randomUUID } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { checkNames } from '@sansmtp/core';
import { QueueInUseError, type QueueLimits } from '@sansmtp/queue';
import pg from 'pg';
import { lockName } from './database/advisory-locks.js';
import { DATABASE_NOW, DatabaseClock } from './database/clock.js';
import { type Database, openDatabase } from './database/database.js';
import { Keeper } from './database/keeper.js';
import { migrate } from './schema/migrate.js';
import { Fill } from './store/fill.js';
import type { PostgresQueue } from './store/postgres-queue.js';
import { PostgresStore } from './store/postgres-store.js';

/** Where the database is. What is left out comes from the environment (`PGHOST`, `PGUSER`, …), as with every client of PostgreSQL. */
export interface PostgresConnection {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host?: string;
  /** @default 5432 */
  readonly port?: number;
  readonly user?: string;
  /** A function is asked for each connection: for tokens that expire. */
  readonly password?: string | (() => string | Promise<string>);
  readonly database?: string;
  /** @default false */
  readonly ssl?: boolean | ConnectionOptions;
}

export interface PostgresQueueOptions extends QueueLimits {
  /** As `postgres://user:password@host:port/database`, or in parts. @default from the environment */
  readonly connection?: string | PostgresConnection;
  /**
   * The schema that has the tables; it is made if it is missing. Each is a queue of its own: up to 40 lower-case letters,
   * digits and underscores. @default 'sansmtp'
   */
  readonly schema?: string;
  /**
   * The name of this process, the same each time that it is started, and no other's. With it, what its last life has claimed is
   * due at once; otherwise when the leases end. @default a new one each time
   */
  readonly worker?: string;
  /** Connections at most, besides one that listens. @default 10 */
  readonly maximumConnections?: number;
}

const OPTIONS = ['connection', 'schema', 'worker', 'maximumConnections', 'maximumMessages', 'maximumOctets'];

/** Milliseconds to connect, and for one query: after that the database does not answer. */
const CONNECT_TIMEOUT = 10_000;
const QUERY_TIMEOUT = 120_000;

/** For tests, which let connections die. */
export type ClientClass = typeof pg.Client;

/** What a test may say besides. */
export interface Apparatus {
  readonly Client?: ClientClass;
  /** Milliseconds. */
  readonly connectTimeout?: number;
}

/**
 * Opens the queue in a database, and makes or migrates its tables. Close it in the end; a process that dies loses nothing by
 * that.
 * @throws {QueueInUseError} another process has the name `worker`
 * @throws {QueueUnreadableError} a newer version has migrated the tables
 * @throws {DatabaseUnavailableError} the database does not answer
 * @throws {TypeError} an option is not known, or `connection` cannot be read
 * @throws {RangeError} an option is out of range
 * @throws what PostgreSQL reports, such as a missing right
 */
export function openPostgresQueue(options: PostgresQueueOptions = {}): Promise<PostgresQueue> {
  return openWith(options);
}

export async function openWith(
  options: PostgresQueueOptions,
  { Client, connectTimeout = CONNECT_TIMEOUT }: Apparatus = {},
): Promise<PostgresQueue> {
  checkNames('The option', options, OPTIONS);
  const { schema = 'sansmtp', worker = randomUUID(), maximumConnections = 10 } = options;
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) {
    throw new RangeError(
      `The schema is ${JSON.stringify(schema)}; it takes up to 40 lower-case letters, digits and underscores`,
    );
  }
  if (typeof worker !== 'string' || worker === '' || worker.includes('\0')) {
    throw new RangeError(`The worker is ${JSON.stringify(worker)}; it takes a name`);
  }
  checkCount('maximumConnections', maximumConnections);
  checkCount('maximumMessages', options.maximumMessages);
  checkCount('maximumOctets', options.maximumOctets);

  const { config, hide } = readConnection(options.connection ?? {}, connectTimeout);
  const database = openDatabase({ config, maximumConnections, hide, ...(Client && { Client }) });
  let keeper: Keeper | undefined;
  let store: PostgresStore | undefined;
  try {
    const tables = await migrate(database, schema);
    const clock = await readClock(database);
    const listeners = new Set<() => void>();
    keeper = await Keeper.open({
      config,
      hide,
      Client,
      channel: schema,
      self: randomUUID(),
      ownLock: lockName(schema, `worker/${worker}`),
      onNotice: () => {
        for (const listener of listeners) queueMicrotask(listener);
      },
      onUsurped: () => store?.usurped(),
    });
    if (keeper === undefined) throw new QueueInUseError(`the schema ${schema}, under the name ${worker},`);
    const fill = new Fill(database, tables, options);
    store = new PostgresStore({ database, keeper, tables, clock, fill, worker, listeners });
    await store.restore();
    return store;
  } catch (error) {
    if (store === undefined) {
      await keeper?.close();
      await database.close();
    } else await store.close();
    throw error;
  }
}

async function readClock(database: Database): Promise<DatabaseClock> {
  const clock = new DatabaseClock();
  const sent = Date.now();
  const [row] = await database.query<{ clock: number }>(`SELECT ${DATABASE_NOW} AS clock`);
  if (row !== undefined) clock.heed(row.clock, sent, Date.now());
  return clock;
}

function readConnection(
  connection: string | PostgresConnection,
  connectTimeout: number,
): {
  readonly config: pg.ClientConfig;
  readonly hide: readonly string[];
} {
  const given: pg.ClientConfig =
    typeof connection === 'string' ? { connectionString: connection } : { ...connection };
  const config: pg.ClientConfig = {
    ...given,
    application_name: 'sansmtp queue',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: connectTimeout,
    query_timeout: QUERY_TIMEOUT,
    // A process that stands still in a transaction must not stop the others.
    idle_in_transaction_session_timeout: 60_000,
  };
  let password: unknown;
  try {
    ({ password } = new pg.Client(config) as { readonly password?: unknown });
  } catch {
    // What was thrown has the whole string in it, with the password.
    throw new TypeError(
      'The connection cannot be read; it takes postgres://user:password@host:port/database',
    );
  }
  const secrets = typeof password === 'string' && password !== '' ? [password] : [];
  return { config, hide: secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]) };
}

function checkCount(name: string, value: unknown): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) return;
  throw new RangeError(`${name} is ${String(value)}; it takes a number from 1`);
}
