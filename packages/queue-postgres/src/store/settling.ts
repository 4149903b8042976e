/** What became of recipients: stored by whoever has the claim, once. */
import { type Attempt, type Claim, type Marks, type Settlement, StaleClaimError } from '@sansmtp/queue';
import type { Queries } from '../database/database.js';
import type { Tables } from '../schema/tables.js';
import { type Departure, lockMessages, revise } from './messages.js';

interface OpenPlace {
  readonly place: number;
  readonly marks: Marks;
}

/**
 * The recipients of a claim that are still to be settled. Its message is locked from here on.
 * @throws {StaleClaimError} the claim is over
 */
async function openPlaces(
  queries: Queries,
  tables: Tables,
  { fence, message: { id } }: Claim,
): Promise<readonly OpenPlace[]> {
  const [found] = await lockMessages(queries, tables, [id]);
  const places = await queries.query<OpenPlace>(
    `SELECT place, marks FROM ${tables.recipient} WHERE message = $1 AND fence = $2 ORDER BY place`,
    [id, fence],
  );
  if (found === undefined || places.length === 0) throw new StaleClaimError(id, fence);
  return places;
}

/** @throws {RangeError} a place is not of this claim, or settled already */
function checkSettlements(
  { fence, message: { id } }: Claim,
  open: ReadonlyMap<number, Marks>,
  settlements: readonly Settlement[],
): void {
  const seen = new Set<number>();
  for (const { place } of settlements) {
    if (!open.has(place) || seen.has(place)) {
      const places = [...open.keys()].join(', ');
      throw new RangeError(
        `Place ${place} of message ${id} cannot be settled by the claim ${fence}: still to be settled are ${places}`,
      );
    }
    seen.add(place);
  }
}

export async function settle(
  queries: Queries,
  tables: Tables,
  claim: Claim,
  settlements: readonly Settlement[],
): Promise<readonly Departure[]> {
  const places = await openPlaces(queries, tables, claim);
  const open = new Map(places.map(({ place, marks }) => [place, marks]));
  checkSettlements(claim, open, settlements);
  if (settlements.length === 0) return [];
  const { fence, message } = claim;
  const json = (value: Attempt | Marks | undefined) => (value === undefined ? null : JSON.stringify(value));
  const settled = await queries.query(
    `UPDATE ${tables.recipient} r SET
      state = s.state, next = coalesce(s.next, r.next), fence = NULL, committing_since = NULL,
      attempts = r.attempts + (s.last IS NOT NULL)::integer, last = coalesce(s.last::json, r.last), marks = s.marks::json
    FROM unnest($3::integer[], $4::text[], $5::bigint[], $6::text[], $7::text[]) AS s (place, state, next, last, marks)
    WHERE r.message = $1 AND r.fence = $2 AND r.place = s.place RETURNING r.place`,
    [
      message.id,
      fence,
      settlements.map(({ place }) => place),
      settlements.map(({ state }) => state),
      settlements.map((each) => (each.state === 'waiting' ? Math.round(each.next) : null)),
      settlements.map(({ attempt }) => json(attempt)),
      settlements.map(({ place, marks }) => json({ ...open.get(place), ...marks })),
    ],
  );
  if (settled.length === open.size) {
    await queries.query(`DELETE FROM ${tables.claim} WHERE fence = $1`, [fence]);
  }
  return revise(queries, tables, [message.id]);
}

export async function giveBack(
  queries: Queries,
  tables: Tables,
  claim: Claim,
): Promise<readonly Departure[]> {
  await openPlaces(queries, tables, claim);
  const { fence, message } = claim;
  await queries.query(
    `WITH over AS (DELETE FROM ${tables.claim} WHERE fence = $2)
    UPDATE ${tables.recipient} SET fence = NULL, committing_since = NULL WHERE message = $1 AND fence = $2`,
    [message.id, fence],
  );
  return revise(queries, tables, [message.id]);
}

/** That the final dot may be sent. */
export interface Committing {
  readonly at: number;
  /** To whom the message may go with it. @default all that the claim has */
  readonly places?: readonly number[];
}

/**
 * Lets the lease run until then at least.
 * @param committing undefined: no final dot is sent
 * @returns until when it runs, by the clock of the database
 * @throws {StaleClaimError} the claim is over
 * @throws {RangeError} a place is not of this claim, or was settled
 */
export async function extend(
  { query }: Queries,
  tables: Tables,
  { fence, message: { id } }: Claim,
  leaseUntil: number,
  committing?: Committing,
): Promise<number> {
  const { at = null, places = null } = committing ?? {};
  const [row] = await query<{ lease_until: string; committed: number }>(
    `WITH extended AS (
      UPDATE ${tables.claim} SET lease_until = greatest(lease_until, $2) WHERE fence = $1 RETURNING message, lease_until
    ), committing AS (
      UPDATE ${tables.recipient} r SET committing_since = $3 FROM extended
      WHERE $3::bigint IS NOT NULL AND r.message = extended.message AND r.fence = $1
        AND ($4::integer[] IS NULL OR r.place = ANY ($4)) RETURNING r.place
    )
    SELECT lease_until, (SELECT count(*)::integer FROM committing) AS committed FROM extended`,
    [fence, leaseUntil, at, places],
  );
  if (row === undefined) throw new StaleClaimError(id, fence);
  if (places !== null && row.committed !== places.length) {
    throw new RangeError(
      `Of the places ${places.join(', ')} of message ${id}, the claim ${fence} has ${row.committed} to settle`,
    );
  }
  return Number(row.lease_until);
}
