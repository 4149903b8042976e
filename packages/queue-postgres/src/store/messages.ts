/** Messages: how they come into their tables, how they are read from them, and what follows when one has changed. */
import type { ClientEnvelope, ClientRecipient } from '@sansmtp/core';
import { comparableDomain } from '@sansmtp/delivery';
import {
  type Attempt,
  type Marks,
  type NewMessage,
  type QueuedMessage,
  type QueuedRecipient,
  senderOf,
} from '@sansmtp/queue';
import type { Queries } from '../database/database.js';
import { DatabaseUnavailableError } from '../database/errors.js';
import type { Tables } from '../schema/tables.js';
import { type GatheredBody, removeChunksOf } from './bodies.js';

/** The domain of each recipient; '' for `<Postmaster>`. */
function domainsOf(envelope: ClientEnvelope): readonly string[] {
  return envelope.recipients.map(({ domain }) => comparableDomain(domain) ?? domain.toLowerCase());
}

/** A message, and its body but for the last chunk stored. */
export interface Arrival {
  readonly id: string;
  readonly message: NewMessage;
  readonly body: GatheredBody;
  /** The chunks stand by themselves, and not in the transaction of the message. */
  readonly isUploaded: boolean;
}

/** Stores a message, with the last chunk of its body. */
export async function insertMessage(
  { query }: Queries,
  tables: Tables,
  { id, message, body, isUploaded }: Arrival,
): Promise<QueuedMessage> {
  const { envelope, held = false } = message;
  const now = Math.round(message.now);
  const due = Math.round(message.due ?? message.now);
  const sender = senderOf(message);
  const domains = domainsOf(envelope);
  // What was uploaded is this statement's only if it was not swept.
  const source =
    isUploaded && body.number > 0
      ? `DELETE FROM ${tables.upload} WHERE message = $1 RETURNING message`
      : 'SELECT $1::text AS message';
  const rows = await query(
    `WITH body AS (${source}),
      chunk AS (INSERT INTO ${tables.chunk} SELECT message, $9::integer, $10::bytea FROM body WHERE length($10::bytea) > 0),
      stored AS (
        INSERT INTO ${tables.message} (id, arrived, size, envelope, sender, held)
        SELECT message, $2::bigint, $3::bigint, $4::json, $5, $6::boolean FROM body RETURNING id
      ),
      recipients AS (
        INSERT INTO ${tables.recipient} (message, place, domain, next)
        SELECT id, number - 1, domain, $7::bigint FROM stored, unnest($8::text[]) WITH ORDINALITY AS each (domain, number)
      )
    INSERT INTO ${tables.delivery} (message, domain, priority, sender, due, ready)
    SELECT id, domain, $11::smallint, $5, CASE WHEN $6 THEN NULL ELSE $7 END, NOT $6 AND $7 <= $2
    FROM stored, (SELECT DISTINCT unnest($8::text[]) AS domain) each
    RETURNING domain`,
    [
      ...[id, now, body.size, JSON.stringify(envelope), sender, held, due, domains, body.number, body.last],
      envelope.parameters?.mtPriority ?? 0,
    ],
  );
  if (rows.length === 0)
    throw new DatabaseUnavailableError(`The body of message ${id} took longer than a day`);
  const recipients = envelope.recipients.map((recipient, place) => {
    const domain = domains[place] as string;
    return { recipient, domain, attempts: 0, last: null, marks: {}, state: 'waiting', next: due } as const;
  });
  return {
    id,
    arrived: now,
    size: body.size,
    envelope,
    sender,
    state: held ? 'held' : 'waiting',
    recipients,
  };
}

export interface MessageRow {
  readonly number: string;
  readonly id: string;
  readonly arrived: string;
  readonly size: string;
  readonly envelope: ClientEnvelope;
  readonly sender: string;
  readonly held: boolean;
  readonly claimed: boolean;
  readonly recipients: readonly (readonly [
    domain: string,
    state: QueuedRecipient['state'],
    attempts: number,
    next: number,
    last: Attempt | null,
    marks: Marks,
  ])[];
}

/** @param rest what comes after FROM: conditions on `m`, and the order */
export function selectMessages(tables: Tables, rest: string): string {
  return `SELECT m.number, m.id, m.arrived, m.size, m.envelope, m.sender, m.held,
      EXISTS (SELECT FROM ${tables.claim} c WHERE c.message = m.id) AS claimed,
      (SELECT json_agg(json_build_array(r.domain, r.state, r.attempts, r.next, r.last, r.marks) ORDER BY r.place)
        FROM ${tables.recipient} r WHERE r.message = m.id) AS recipients
    FROM ${tables.message} m ${rest}`;
}

export function messageOf(row: MessageRow): QueuedMessage {
  const { id, envelope, sender, held, claimed } = row;
  const recipients = row.recipients.map(
    ([domain, state, attempts, next, last, marks], place): QueuedRecipient => {
      const recipient = envelope.recipients[place] as ClientRecipient;
      const common = { recipient, domain, attempts, last, marks };
      return state === 'waiting' ? { ...common, state, next } : { ...common, state };
    },
  );
  const state = claimed ? 'delivering' : held ? 'held' : 'waiting';
  return { id, arrived: Number(row.arrived), size: Number(row.size), envelope, sender, state, recipients };
}

/** Locks messages: until the transaction ends, nobody else changes anything of them. @returns those that are there */
export async function lockMessages(
  { query }: Queries,
  tables: Tables,
  ids: readonly string[],
): Promise<readonly string[]> {
  const rows = await query<{ id: string }>(
    `SELECT id FROM ${tables.message} WHERE id = ANY ($1) ORDER BY id FOR UPDATE`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

export interface Departure {
  readonly id: string;
  readonly octets: number;
}

/**
 * What follows from changes of messages that are locked: those with nothing left to be done leave the queue, for the others it is
 * said anew when they are due.
 * @returns those that left
 */
export async function revise(
  { query }: Queries,
  tables: Tables,
  ids: readonly string[],
): Promise<readonly Departure[]> {
  const rows = await query<{ id: string; size: string }>(
    `WITH changed AS (
      SELECT id, size, held OR dropped AS barred,
        NOT EXISTS (SELECT FROM ${tables.recipient} r WHERE r.message = id AND r.state = 'waiting')
        OR dropped AND NOT EXISTS (SELECT FROM ${tables.claim} c WHERE c.message = id) AS leaves
      FROM ${tables.message} WHERE id = ANY ($1)
    ),
    gone AS (DELETE FROM ${tables.message} m USING changed WHERE m.id = changed.id AND leaves RETURNING m.id, m.size),
    ${removeChunksOf(tables, 'gone')},
    waiting AS (
      SELECT d.message, d.domain, count(r.place) AS recipients,
        CASE WHEN NOT barred THEN min(r.next) FILTER (WHERE r.fence IS NULL) END AS due
      FROM changed JOIN ${tables.delivery} d ON d.message = id
        LEFT JOIN ${tables.recipient} r ON r.message = id AND r.domain = d.domain AND r.state = 'waiting'
      WHERE NOT leaves GROUP BY d.message, d.domain, barred
    ),
    finished AS (
      DELETE FROM ${tables.delivery} d USING waiting w
      WHERE d.message = w.message AND d.domain = w.domain AND w.recipients = 0
    ),
    scheduled AS (
      UPDATE ${tables.delivery} d SET due = w.due, ready = false FROM waiting w
      WHERE d.message = w.message AND d.domain = w.domain AND w.recipients > 0 AND d.due IS DISTINCT FROM w.due
    )
    SELECT id, size FROM gone`,
    [ids],
  );
  return rows.map(({ id, size }) => ({ id, octets: Number(size) }));
}
