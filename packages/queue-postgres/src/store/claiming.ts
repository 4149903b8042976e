/** Who may deliver what: claims are given, lengthened and taken back. */
import type { Claim, ClaimRequest } from '@sansmtp/queue';
import { DATABASE_NOW, type DatabaseClock } from '../database/clock.js';
import type { Database, Queries } from '../database/database.js';
import type { Tables } from '../schema/tables.js';
import { type Departure, type MessageRow, messageOf, revise, selectMessages } from './messages.js';
import type { Turns } from './turns.js';

/** Deliveries that become ready in one go, and messages whose claims are taken back in one. */
const BATCH = 1000;

export interface Claiming {
  readonly database: Database;
  readonly tables: Tables;
  readonly clock: DatabaseClock;
  readonly worker: string;
  readonly turns: Turns;
}

/**
 * Marks as ready what has become due: so what is due stands apart from what waits for a later time, and a domain with a
 * million deferred messages costs a claim nothing.
 * @returns whether leases are over
 */
export async function ripen({ database, tables, clock }: Claiming, now: number): Promise<boolean> {
  const sent = Date.now();
  const [row] = await database.query<{ clock: number; overdue: boolean }>(
    `WITH due AS (
      SELECT message, domain FROM ${tables.delivery} WHERE NOT ready AND due <= $1
      ORDER BY due LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
    ), ripe AS (
      UPDATE ${tables.delivery} d SET ready = true FROM due WHERE d.message = due.message AND d.domain = due.domain
    )
    SELECT ${DATABASE_NOW} AS clock, EXISTS (SELECT FROM ${tables.claim} WHERE lease_until <= $2) AS overdue`,
    [now, clock.toDatabase(now)],
  );
  if (row === undefined) return false;
  // Where a clock was set, nobody's lease is over by a time that may be wrong.
  return clock.heed(row.clock, sent, Date.now()) && row.overdue;
}

export type Overdue =
  /** By the clock of the database. */
  { readonly leaseUntil: number } | { readonly worker: string };

/**
 * Ends claims. Those that were committing are settled as `unknown`.
 * @param why begins a sentence: `the lease ended`
 */
export async function takeBack(
  database: Database,
  tables: Tables,
  overdue: Overdue,
  why: string,
): Promise<readonly Departure[]> {
  const [condition, value] =
    'worker' in overdue ? ['worker = $1', overdue.worker] : ['lease_until <= $1', overdue.leaseUntil];
  const reason = `${why} after the final dot may have been sent; the message may have been delivered`;
  const departures: Departure[] = [];
  for (;;) {
    const taken = await database.transaction(async (queries) => {
      const { query } = queries;
      // What somebody else is changing just then is theirs: a claim that is being settled is settled.
      const rows = await query<{ id: string }>(
        `SELECT id FROM ${tables.message} WHERE id IN (SELECT message FROM ${tables.claim} WHERE ${condition})
        ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
        [value],
      );
      const ids = rows.map(({ id }) => id);
      if (ids.length === 0) return 0;
      await query(
        `WITH over AS (
          DELETE FROM ${tables.claim} WHERE message = ANY ($2) AND ${condition} RETURNING message, fence
        )
        UPDATE ${tables.recipient} r SET
          fence = NULL, committing_since = NULL, next = coalesce(committing_since, next),
          attempts = attempts + (committing_since IS NOT NULL)::integer,
          last = CASE WHEN committing_since IS NULL THEN last ELSE json_build_object(
            'at', committing_since, 'verdict', 'unknown', 'reply', NULL, 'host', NULL, 'reason', $3::text) END
        FROM over WHERE r.message = over.message AND r.fence = over.fence`,
        [value, ids, reason],
      );
      departures.push(...(await revise(queries, tables, ids)));
      return ids.length;
    });
    if (taken < BATCH) return departures;
  }
}

/** Gives what is ready. */
export async function grant(
  claiming: Claiming,
  { now, lease, limit = 1, domain, except = [], destinationOf }: ClaimRequest,
): Promise<readonly Claim[]> {
  const excepted = [...except];
  const domains =
    domain === undefined
      ? await domainsInTurn(claiming, excepted, limit)
      : [domain].filter((each) => !excepted.includes(each));
  if (domains.length === 0 || limit < 1) return [];
  return claiming.database.transaction(async (queries) => {
    const claims: Claim[] = [];
    while (claims.length < limit) {
      const chosen = await choose(queries, claiming, domains, now, limit - claims.length);
      if (chosen.length === 0) break;
      const shares = await sharesOf(queries, claiming.tables, chosen, now, destinationOf);
      claims.push(...(await give(queries, claiming, shares, now, now + lease)));
    }
    return claims;
  });
}

/** Domains with something ready, from the one after that which had its turn last: as many as are wanted. */
async function domainsInTurn(
  { database, tables, turns }: Claiming,
  excepted: readonly string[],
  limit: number,
): Promise<readonly string[]> {
  // Each step is one look into the index, however much waits for a domain.
  const next = (condition: string) =>
    `(SELECT domain FROM ${tables.delivery} WHERE ready AND ${condition} ORDER BY domain LIMIT 1) next`;
  const isWanted = `(next.domain <> ALL ($2::text[]))::integer`;
  const rows = await database.query<{ domain: string }>(
    `WITH RECURSIVE onward (domain, wanted) AS (
      SELECT next.domain, ${isWanted} FROM ${next('domain > $1::text')}
      UNION ALL
      SELECT next.domain, wanted + ${isWanted} FROM onward, LATERAL ${next('domain > onward.domain')} WHERE wanted < $3
    ), anew (domain, wanted) AS (
      SELECT next.domain, ${isWanted} FROM ${next('($1::text IS NULL OR domain <= $1)')}
      UNION ALL
      SELECT next.domain, wanted + ${isWanted}
      FROM anew, LATERAL ${next('domain > anew.domain AND ($1 IS NULL OR domain <= $1)')} WHERE wanted < $3
    )
    SELECT domain FROM (SELECT 0 AS half, domain FROM onward UNION ALL SELECT 1, domain FROM anew) each
    WHERE domain <> ALL ($2) ORDER BY half, domain LIMIT $3`,
    [turns.lastDomain, excepted, limit],
  );
  return rows.map((row) => row.domain);
}

interface Chosen {
  readonly message: string;
  readonly domain: string;
  readonly sender: string;
}

/**
 * Locks what is next in each of the domains, for the highest priority that each has: of the senders in turn, and of a sender what
 * has been due the longest. What another machine is claiming just then is passed over.
 */
async function choose(
  { query }: Queries,
  { tables, turns }: Claiming,
  domains: readonly string[],
  now: number,
  limit: number,
): Promise<readonly Chosen[]> {
  const next = (from: string, condition: string) =>
    `LATERAL (SELECT sender FROM ${tables.delivery} d
      WHERE d.ready AND d.domain = ${from}.domain AND d.priority = ${from}.priority AND ${condition}
      ORDER BY d.sender LIMIT 1) next`;
  const share = Math.ceil(limit / domains.length);
  const chosen = await query<Chosen>(
    `WITH RECURSIVE asked AS (
      SELECT each.*, top.priority FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS each (domain, last, turn),
        LATERAL (SELECT priority FROM ${tables.delivery} d WHERE d.ready AND d.domain = each.domain
          ORDER BY d.priority DESC LIMIT 1) top
    ), onward AS (
      SELECT asked.*, next.sender, 1 AS number FROM asked, ${next('asked', 'd.sender > asked.last')}
      UNION ALL
      SELECT o.domain, o.last, o.turn, o.priority, next.sender, number + 1
      FROM onward o, ${next('o', 'd.sender > o.sender')} WHERE number < $3::integer
    ), anew AS (
      SELECT asked.*, next.sender, 1 AS number
      FROM asked, ${next('asked', '(asked.last IS NULL OR d.sender <= asked.last)')}
      UNION ALL
      SELECT a.domain, a.last, a.turn, a.priority, next.sender, number + 1
      FROM anew a, ${next('a', 'd.sender > a.sender AND (a.last IS NULL OR d.sender <= a.last)')} WHERE number < $3::integer
    ), senders AS (
      SELECT *, row_number() OVER (PARTITION BY turn ORDER BY half, sender) AS place, count(*) OVER (PARTITION BY turn) AS many
      FROM (SELECT 0 AS half, * FROM onward UNION ALL SELECT 1, * FROM anew) each
    ), heads AS (
      SELECT head.*, senders.* FROM senders, LATERAL (
        SELECT *, row_number() OVER (ORDER BY due) AS round FROM (
          SELECT d.message, d.due FROM ${tables.message} m JOIN ${tables.delivery} d ON d.message = m.id
          WHERE d.ready AND d.domain = senders.domain AND d.priority = senders.priority AND d.sender = senders.sender
            AND d.due <= $4
          ORDER BY d.due LIMIT ceil($3::integer::float8 / least(senders.many, $3::integer))::integer
          -- The message first: whoever has not got that holds nothing that another waits for.
          FOR UPDATE OF m, d SKIP LOCKED
        ) each
      ) head
      WHERE place <= $3::integer
    )
    SELECT message, domain, sender FROM (
      SELECT *, row_number() OVER (PARTITION BY turn ORDER BY round, place) AS rank FROM heads
    ) each ORDER BY rank, turn LIMIT $5`,
    [domains, domains.map((domain) => turns.lastSender(domain)), share, now, limit],
  );
  for (const { domain, sender } of chosen) turns.had(domain, sender);
  return chosen;
}

/** What one claim is to be of. */
interface Share {
  readonly message: string;
  /** The one that was chosen comes first. */
  readonly domains: readonly [string, ...string[]];
}

/** With the domains of the messages chosen whose mail goes to the same place, and where something is due. */
async function sharesOf(
  { query }: Queries,
  tables: Tables,
  chosen: readonly Chosen[],
  now: number,
  destinationOf: ClaimRequest['destinationOf'],
): Promise<readonly Share[]> {
  if (destinationOf === undefined)
    return chosen.map(({ message, domain }) => ({ message, domains: [domain] }));
  const due = await query<{ message: string; domains: string[] }>(
    `SELECT message, array_agg(domain) AS domains FROM ${tables.delivery}
    WHERE message = ANY ($1) AND due <= $2 GROUP BY message`,
    [chosen.map(({ message }) => message), now],
  );
  const domainsOf = new Map(due.map(({ message, domains }) => [message, domains]));
  const shared = new Set<string>();
  return chosen.flatMap(({ message, domain }): Share[] => {
    const destination = destinationOf(domain);
    const key = `${message} ${destination}`;
    if (shared.has(key)) return [];
    shared.add(key);
    const others = (domainsOf.get(message) ?? []).filter(
      (each) => each !== domain && destinationOf(each) === destination,
    );
    return [{ message, domains: [domain, ...others] }];
  });
}

async function give(
  queries: Queries,
  { tables, clock, worker }: Claiming,
  shares: readonly Share[],
  now: number,
  leaseUntil: number,
): Promise<readonly Claim[]> {
  const { query } = queries;
  const messages = shares.map(({ message }) => message);
  const covered = shares.flatMap(({ message, domains }) =>
    domains.map((domain) => ({ message, first: domains[0], domain })),
  );
  const granted = await query<{ fence: string; message: string; domain: string; places: number[] }>(
    `WITH granted AS (
      INSERT INTO ${tables.claim} (fence, message, domain, lease_until, worker)
      SELECT nextval('${tables.fence}'), message, domain, $3, $4 FROM (
        SELECT message, domain FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS each (message, domain, turn)
        ORDER BY turn
      ) each RETURNING fence, message, domain
    ), covered AS (
      SELECT fence, granted.message, granted.domain AS first, each.domain
      FROM granted, unnest($6::text[], $7::text[], $8::text[]) AS each (message, first, domain)
      WHERE each.message = granted.message AND each.first = granted.domain
    ), taken AS (
      UPDATE ${tables.recipient} r SET fence = covered.fence FROM covered
      WHERE r.message = covered.message AND r.domain = covered.domain
        AND r.state = 'waiting' AND r.fence IS NULL AND r.next <= $5
      RETURNING covered.fence, r.message, covered.first AS domain, r.place
    )
    SELECT fence, message, domain, array_agg(place ORDER BY place) AS places FROM taken
    GROUP BY fence, message, domain ORDER BY fence`,
    [
      ...[messages, shares.map(({ domains }) => domains[0]), clock.toDatabase(leaseUntil), worker, now],
      ...[
        covered.map(({ message }) => message),
        covered.map(({ first }) => first),
        covered.map(({ domain }) => domain),
      ],
    ],
  );
  await revise(queries, tables, messages);
  const rows = await query<MessageRow>(selectMessages(tables, 'WHERE m.id = ANY ($1)'), [messages]);
  const found = new Map(rows.map((row) => [row.id, messageOf(row)]));
  return granted.flatMap(({ fence, message: id, domain, places }) => {
    const message = found.get(id);
    return message === undefined ? [] : [{ fence: Number(fence), message, domain, places, leaseUntil }];
  });
}
