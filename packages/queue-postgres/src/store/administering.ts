/** What the operator asks, and does to messages. */
import type { DomainCount, QueueCount, QueuedMessage, RetrySelection } from '@sansmtp/queue';
import type { Database } from '../database/database.js';
import type { Tables } from '../schema/tables.js';
import {
  type Departure,
  lockMessages,
  type MessageRow,
  messageOf,
  revise,
  selectMessages,
} from './messages.js';

/** Messages that are made due in one transaction. */
const RETRIED = 1000;

/** Messages, or domains, that are read at a time. */
const PAGE = 200;

/** Holds, releases or drops a message. @returns undefined: there is none of this ID */
export function change(
  database: Database,
  tables: Tables,
  id: string,
  assignment: 'held = true' | 'held = false' | 'dropped = true',
): Promise<readonly Departure[] | undefined> {
  return database.transaction(async (queries) => {
    const changed = await queries.query(
      `UPDATE ${tables.message} SET ${assignment} WHERE id = $1 RETURNING id`,
      [id],
    );
    return changed.length === 0 ? undefined : revise(queries, tables, [id]);
  });
}

/** @returns how many messages it made due */
export async function retry(
  database: Database,
  tables: Tables,
  selection: RetrySelection,
  now: number,
): Promise<number> {
  let retried = 0;
  const domain = 'domain' in selection ? selection.domain : null;
  for await (const ids of pagesOf(database, tables, selection)) {
    retried += await database.transaction(async (queries) => {
      const there = await lockMessages(queries, tables, ids);
      const due = await queries.query<{ message: string }>(
        `UPDATE ${tables.recipient} SET next = $2
        WHERE message = ANY ($1) AND state = 'waiting' AND fence IS NULL AND ($3::text IS NULL OR domain = $3)
        RETURNING message`,
        [there, now, domain],
      );
      const changed = [...new Set(due.map(({ message }) => message))];
      if (changed.length > 0) await revise(queries, tables, changed);
      return changed.length;
    });
  }
  return retried;
}

async function* pagesOf(
  database: Database,
  tables: Tables,
  selection: RetrySelection,
): AsyncGenerator<readonly string[], void, undefined> {
  if ('ids' in selection) {
    const ids = [...new Set(selection.ids)];
    for (let start = 0; start < ids.length; start += RETRIED) yield ids.slice(start, start + RETRIED);
    return;
  }
  const domain = 'domain' in selection ? selection.domain : null;
  let last = '';
  for (;;) {
    const rows = await database.query<{ message: string }>(
      `SELECT DISTINCT message FROM ${tables.delivery} WHERE message > $1 AND ($2::text IS NULL OR domain = $2)
      ORDER BY message LIMIT ${RETRIED}`,
      [last, domain],
    );
    if (rows.length === 0) return;
    yield rows.map(({ message }) => message);
    last = rows.at(-1)?.message ?? '';
  }
}

export async function* list(
  database: Database,
  tables: Tables,
): AsyncGenerator<QueuedMessage, void, undefined> {
  const [{ newest } = { newest: null }] = await database.query<{ newest: string | null }>(
    `SELECT max(number) AS newest FROM ${tables.message}`,
  );
  let [arrived, number] = ['-9223372036854775808', '0'];
  for (;;) {
    const rows = await database.query<MessageRow>(
      selectMessages(
        tables,
        `WHERE (m.arrived, m.number) > ($1, $2) AND m.number <= $3 ORDER BY m.arrived, m.number LIMIT ${PAGE}`,
      ),
      [arrived, number, newest],
    );
    for (const row of rows) yield messageOf(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    ({ arrived, number } = last);
  }
}

export async function show(
  database: Database,
  tables: Tables,
  id: string,
): Promise<QueuedMessage | undefined> {
  const [row] = await database.query<MessageRow>(selectMessages(tables, 'WHERE m.id = $1'), [id]);
  return row && messageOf(row);
}

export async function count(database: Database, tables: Tables): Promise<QueueCount> {
  const rows = await database.query<{
    state: 'waiting' | 'held' | 'delivering';
    messages: string;
    octets: string;
    oldest: string;
  }>(
    `SELECT CASE WHEN id IN (SELECT message FROM ${tables.claim}) THEN 'delivering' WHEN held THEN 'held' ELSE 'waiting' END
        AS state, count(*) AS messages, sum(size) AS octets, min(arrived) AS oldest
    FROM ${tables.message} GROUP BY 1`,
  );
  const of = (state: string) => Number(rows.find((row) => row.state === state)?.messages ?? 0);
  return {
    waiting: of('waiting'),
    held: of('held'),
    delivering: of('delivering'),
    octets: rows.reduce((sum, { octets }) => sum + Number(octets), 0),
    oldest: Object.fromEntries(rows.map(({ state, oldest }) => [state, Number(oldest)])),
  };
}

export async function* domains(
  database: Database,
  tables: Tables,
): AsyncGenerator<DomainCount, void, undefined> {
  const rows = await database.query<{ domain: string; messages: string }>(
    `SELECT domain, count(*) AS messages FROM ${tables.delivery} GROUP BY domain`,
  );
  for (const { domain, messages } of rows) yield { domain, messages: Number(messages) };
}
