/**
 * Bodies, in chunks of 64 KiB. All but the last are stored while the body arrives, each for itself, so that a slow client holds
 * no transaction open; the last is stored together with the message.
 *
 * Who reads a body of several chunks holds a shared lock on it, so that a message that leaves the queue meanwhile leaves its
 * chunks there; they are removed by whoever is the last to read.
 */
import { NotInQueueError } from '@sansmtp/queue';
import { lockName, lockNumber } from '../database/advisory-locks.js';
import type { Database, Queries } from '../database/database.js';
import type { Keeper } from '../database/keeper.js';
import type { Tables } from '../schema/tables.js';

const CHUNK_OCTETS = 65_536;

/** Chunks that are fetched at a time. */
const FETCHED = 8;

/** Milliseconds until a body is looked for again whose message is just leaving. */
const PAUSE = 10;

export interface GatheredBody {
  readonly size: number;
  readonly last: Uint8Array;
  /** Its number: how many are stored already. */
  readonly number: number;
}

/** Reads a body to its end. */
export async function gather(
  body: AsyncIterable<Uint8Array>,
  store: (octets: Uint8Array, number: number) => Promise<void>,
): Promise<GatheredBody> {
  let parts: Uint8Array[] = [];
  let waiting = 0;
  let number = 0;
  for await (const chunk of body) {
    // The caller may use its array again.
    let rest: Uint8Array = Buffer.from(chunk);
    while (waiting + rest.length > CHUNK_OCTETS) {
      const fitting = CHUNK_OCTETS - waiting;
      parts.push(rest.subarray(0, fitting));
      await store(Buffer.concat(parts, CHUNK_OCTETS), number++);
      rest = rest.subarray(fitting);
      parts = [];
      waiting = 0;
    }
    parts.push(rest);
    waiting += rest.length;
  }
  return { size: number * CHUNK_OCTETS + waiting, last: Buffer.concat(parts, waiting), number };
}

/** Stores a chunk whose message is not there yet. That need not be synced: the commit of the message syncs all before it. */
export async function upload(
  { query }: Queries,
  tables: Tables,
  chunk: {
    readonly id: string;
    readonly worker: string;
    readonly number: number;
    readonly octets: Uint8Array;
  },
): Promise<void> {
  const { id, worker, number, octets } = chunk;
  await query(
    `WITH unsynced AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
      begun AS (INSERT INTO ${tables.upload} (message, worker) SELECT $1, $2 FROM unsynced WHERE $3 = 0)
    INSERT INTO ${tables.chunk} (message, number, octets) SELECT $1, $3::integer, $4::bytea FROM unsynced`,
    [id, worker, number, octets],
  );
}

/** Removes what was uploaded of a message that will not be. What stays for any reason is swept later. */
export async function abandonUpload({ query }: Queries, tables: Tables, id: string): Promise<void> {
  await query(
    `WITH over AS (DELETE FROM ${tables.upload} WHERE message = $1) DELETE FROM ${tables.chunk} WHERE message = $1`,
    [id],
  ).catch(() => {});
}

/**
 * For the statement that removes messages: also their chunks, unless somebody reads them. `gone` is the table of their IDs.
 */
export function removeChunksOf(tables: Tables, gone: string): string {
  return `free AS MATERIALIZED (SELECT id, pg_try_advisory_xact_lock(${bodyLockNumber(tables, 'id')}) AS unread FROM ${gone}),
    removed AS (DELETE FROM ${tables.chunk} USING free WHERE message = id AND unread),
    left_there AS (INSERT INTO ${tables.departed} SELECT id FROM free WHERE NOT unread)`;
}

/** Its readers hold it together. */
function bodyLock({ schema }: Tables, id: string): string {
  return lockName(schema, `body/${id}`);
}

/** The same for an ID in SQL: the number of the lock. */
function bodyLockNumber(tables: Tables, id: string): string {
  return lockNumber(`'${bodyLock(tables, '')}' || ${id}`);
}

export async function* read(
  database: Database,
  keeper: Keeper,
  tables: Tables,
  id: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const [found] = await database.query<{ size: string; octets: Buffer | null }>(
    `SELECT m.size, c.octets FROM ${tables.message} m LEFT JOIN ${tables.chunk} c ON c.message = m.id AND c.number = 0
    WHERE m.id = $1`,
    [id],
  );
  if (found === undefined) throw new NotInQueueError(id);
  const size = Number(found.size);
  if (size <= CHUNK_OCTETS) {
    if (found.octets !== null) yield found.octets;
    return;
  }
  const lock = bodyLock(tables, id);
  while (!(await keeper.lockShared(lock))) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  try {
    const [still] = await database.query(`SELECT FROM ${tables.message} WHERE id = $1`, [id]);
    if (still === undefined) throw new NotInQueueError(id);
    for (let number = 0; number * CHUNK_OCTETS < size; number += FETCHED) {
      const chunks = await database.query<{ octets: Buffer }>(
        `SELECT octets FROM ${tables.chunk} WHERE message = $1 AND number >= $2 AND number < $3 ORDER BY number`,
        [id, number, number + FETCHED],
      );
      if (chunks.length < Math.min(FETCHED, Math.ceil(size / CHUNK_OCTETS) - number)) {
        throw new Error(
          `The body of message ${id} left the queue while the connection of its reader was lost`,
        );
      }
      for (const { octets } of chunks) yield octets;
    }
  } finally {
    await keeper.unlockShared(lock);
    await sweepDeparted(database, tables, id).catch(() => {});
  }
}

/** Removes what readers had left there: of one message, or of all. */
export async function sweepDeparted(database: Database, tables: Tables, id?: string): Promise<void> {
  await database.query(
    `WITH free AS MATERIALIZED (
      SELECT message FROM (SELECT message FROM ${tables.departed} WHERE $1::text IS NULL OR message = $1 OFFSET 0) each
      WHERE pg_try_advisory_xact_lock(${bodyLockNumber(tables, 'message')})
    ), over AS (DELETE FROM ${tables.departed} USING free WHERE departed.message = free.message)
    DELETE FROM ${tables.chunk} USING free WHERE chunk.message = free.message`,
    [id ?? null],
  );
}

/** Removes what was uploaded for messages that never came: by this worker's last life, or longer than a day ago. */
export async function sweepUploads({ query }: Queries, tables: Tables, worker: string): Promise<void> {
  await query(
    `WITH over AS (
      DELETE FROM ${tables.upload} WHERE worker = $1 OR begun < now() - interval '1 day' RETURNING message
    ) DELETE FROM ${tables.chunk} USING over WHERE chunk.message = over.message`,
    [worker],
  );
}
