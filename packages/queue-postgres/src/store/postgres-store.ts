/**
 * The store in PostgreSQL. All that holds of the queue stands in its tables; a process has nothing of its own but whose turn it
 * is, who listens, and how much the clocks differ. What is safe, and who comes first where several change the same message, is
 * said in `schema/migrations.ts`.
 */
import { randomBytes } from 'node:crypto';
import {
  type Claim,
  type ClaimRequest,
  COMMITTING_LEASE,
  type DomainCount,
  type MessageWithBody,
  type NewMessage,
  QueueClosedError,
  type QueueCount,
  type QueuedMessage,
  type RetrySelection,
  type Settlement,
} from '@sansmtp/queue';
import { complain, guarded } from '@sansmtp/transport';
import type { DatabaseClock } from '../database/clock.js';
import type { Database } from '../database/database.js';
import type { Keeper } from '../database/keeper.js';
import type { Tables } from '../schema/tables.js';
import { change, count, domains, list, retry, show } from './administering.js';
import { abandonUpload, gather, read, sweepDeparted, sweepUploads, upload } from './bodies.js';
import { type Claiming, grant, ripen, takeBack } from './claiming.js';
import type { Fill } from './fill.js';
import { type Arrival, type Departure, insertMessage } from './messages.js';
import { putInTransaction } from './outbox.js';
import type { PostgresQueue, PutOptions } from './postgres-queue.js';
import { type Committing, extend, giveBack, settle } from './settling.js';
import { Turns } from './turns.js';

/** Milliseconds between looks for what readers and broken connections have left. */
const SWEEPING = 3_600_000;

export interface StoreParts {
  readonly database: Database;
  readonly keeper: Keeper;
  readonly tables: Tables;
  readonly clock: DatabaseClock;
  readonly fill: Fill;
  readonly worker: string;
  /** Called when another process has changed something. */
  readonly listeners: Set<() => void>;
}

export class PostgresStore implements PostgresQueue {
  readonly #parts: StoreParts;
  readonly #database: Database;
  readonly #tables: Tables;
  readonly #claiming: Claiming;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #sweeping: NodeJS.Timeout;
  #closing: Promise<void> | undefined;
  /** Why nothing more is taken. */
  #closedBecause: string | undefined;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#database = parts.database;
    this.#tables = parts.tables;
    this.#claiming = { ...parts, turns: new Turns() };
    this.#sweeping = setInterval(() => void this.#run(() => this.#sweep()).catch(() => {}), SWEEPING);
    this.#sweeping.unref();
  }

  put(
    message: NewMessage,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<QueuedMessage> {
    const { transaction } = options;
    const { fill, keeper } = this.#parts;
    return this.#run(async () => {
      await this.#checkBefore(message, body, () => fill.check(0));
      const check = (octets: number) => fill.check(octets);
      if (transaction !== undefined) {
        return putInTransaction(transaction, this.#tables, keeper, newId(), message, body, check);
      }
      const put = await this.#withBody(message, body, check, (arrival) =>
        insertMessage(this.#database, this.#tables, arrival),
      );
      fill.put(put.size);
      this.#changed();
      return put;
    });
  }

  claim(request: ClaimRequest): Promise<readonly Claim[]> {
    return this.#run(async () => {
      const now = Math.floor(request.now);
      if (await ripen(this.#claiming, now)) {
        const overdue = { leaseUntil: this.#parts.clock.toDatabase(now) };
        this.#parts.fill.left(await takeBack(this.#database, this.#tables, overdue, 'the lease ended'));
        await ripen(this.#claiming, now);
      }
      return grant(this.#claiming, { ...request, now });
    });
  }

  nextDue(): Promise<number | undefined> {
    const { delivery, claim } = this.#tables;
    const { clock } = this.#parts;
    return this.#run(async () => {
      const [row] = await this.#database.query<{ due: string | null; lease: string | null }>(
        `SELECT coalesce((SELECT due FROM ${delivery} WHERE ready ORDER BY domain LIMIT 1),
            (SELECT min(due) FROM ${delivery} WHERE NOT ready AND due IS NOT NULL)) AS due,
          (SELECT min(lease_until) FROM ${claim}) AS lease`,
      );
      const times = [
        ...(row?.due == null ? [] : [Number(row.due)]),
        ...(row?.lease == null ? [] : [clock.fromDatabase(Number(row.lease))]),
      ];
      return times.length === 0 ? undefined : Math.min(...times);
    });
  }

  subscribe(listener: () => void): () => void {
    // The same function may be given twice.
    const one = () => guarded(listener, (error) => complain('A listener of subscribe', error));
    this.#parts.listeners.add(one);
    return () => void this.#parts.listeners.delete(one);
  }

  renew(claim: Claim, { now, lease }: { readonly now: number; readonly lease: number }): Promise<Claim> {
    return this.#extend(claim, now + lease);
  }

  committing(claim: Claim, now: number, places?: readonly number[]): Promise<Claim> {
    return this.#extend(claim, now + COMMITTING_LEASE, { at: Math.round(now), ...(places && { places }) });
  }

  settle(claim: Claim, settlements: readonly Settlement[]): Promise<undefined>;
  settle(claim: Claim, settlements: readonly Settlement[], put: MessageWithBody): Promise<QueuedMessage>;
  settle(
    claim: Claim,
    settlements: readonly Settlement[],
    put?: MessageWithBody,
  ): Promise<QueuedMessage | undefined>;
  settle(
    claim: Claim,
    settlements: readonly Settlement[],
    put?: MessageWithBody,
  ): Promise<QueuedMessage | undefined> {
    const { fill } = this.#parts;
    const store = (arrival?: Arrival) =>
      this.#database.transaction(async (queries) => {
        const departures = await settle(queries, this.#tables, claim, settlements);
        const message = arrival && (await insertMessage(queries, this.#tables, arrival));
        return { departures, message };
      });
    return this.#run(async () => {
      if (put !== undefined) await this.#checkBefore(put.message, put.body);
      const { departures, message } =
        put === undefined
          ? await store()
          : await this.#withBody(put.message, put.body, async () => {}, store);
      fill.left(departures);
      if (message !== undefined) fill.put(message.size);
      this.#changed();
      return message;
    });
  }

  giveBack(claim: Claim): Promise<void> {
    return this.#run(async () => {
      const departures = await this.#database.transaction((queries) =>
        giveBack(queries, this.#tables, claim),
      );
      this.#parts.fill.left(departures);
      this.#changed();
    });
  }

  async *body(id: string): AsyncGenerator<Uint8Array, void, undefined> {
    this.#requireOpen();
    yield* read(this.#database, this.#parts.keeper, this.#tables, id);
  }

  hold(id: string): Promise<boolean> {
    return this.#change(id, 'held = true');
  }

  release(id: string): Promise<boolean> {
    return this.#change(id, 'held = false');
  }

  drop(id: string): Promise<boolean> {
    return this.#change(id, 'dropped = true');
  }

  retry(selection: RetrySelection, now: number): Promise<number> {
    return this.#run(async () => {
      const retried = await retry(this.#database, this.#tables, selection, Math.floor(now));
      this.#changed();
      return retried;
    });
  }

  async *list(): AsyncGenerator<QueuedMessage, void, undefined> {
    this.#requireOpen();
    yield* list(this.#database, this.#tables);
  }

  show(id: string): Promise<QueuedMessage | undefined> {
    return this.#run(() => show(this.#database, this.#tables, id));
  }

  count(): Promise<QueueCount> {
    return this.#run(() => count(this.#database, this.#tables));
  }

  async *domains(): AsyncGenerator<DomainCount, void, undefined> {
    this.#requireOpen();
    yield* domains(this.#database, this.#tables);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close('The queue is closed; open it anew', async () => {
      // Others need not wait for the leases.
      await takeBack(this.#database, this.#tables, { worker: this.#parts.worker }, 'the process ended');
    });
    return this.#closing;
  }

  /** Another process has this worker's name, and with it the claims. */
  usurped(): void {
    const { worker } = this.#parts;
    const why = `The connection of worker ${worker} was lost, and another process has its name now; open the queue anew`;
    this.#closing ??= this.#close(why, async () => {});
  }

  /** Settles what the last life of this worker left open, and removes what it left lying about. */
  async restore(): Promise<void> {
    const { worker } = this.#parts;
    await takeBack(this.#database, this.#tables, { worker }, 'the process ended');
    await sweepUploads(this.#database, this.#tables, worker);
    await sweepDeparted(this.#database, this.#tables);
  }

  async #close(why: string, end: () => Promise<void>): Promise<void> {
    this.#closedBecause = why;
    clearInterval(this.#sweeping);
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    // Without a database the leases end by themselves.
    await end().catch(() => {});
    await this.#parts.keeper.close();
    await this.#database.close();
  }

  #requireOpen(): void {
    if (this.#closedBecause !== undefined) throw new QueueClosedError(this.#closedBecause);
  }

  /** What is called before `close()` is waited for by it; what is called after it is refused. */
  async #run<T>(task: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    const running = task();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** @throws {RangeError} there is no recipient; nobody reads the body then, nor if `check` throws */
  async #checkBefore(
    { envelope }: NewMessage,
    body: AsyncIterable<Uint8Array>,
    check: () => Promise<void> = async () => {},
  ): Promise<void> {
    try {
      if (envelope.recipients.length === 0) {
        throw new RangeError('The envelope has no recipient; it takes one at least');
      }
      await check();
    } catch (error) {
      // A stream is destroyed, and whoever writes into it hears of that.
      await body[Symbol.asyncIterator]().return?.();
      throw error;
    }
  }

  /** Stores the chunks of a body but for the last, which the message takes with it. */
  async #withBody<T>(
    message: NewMessage,
    body: AsyncIterable<Uint8Array>,
    check: (octets: number) => Promise<void>,
    store: (arrival: Arrival) => Promise<T>,
  ): Promise<T> {
    const id = newId();
    const { worker } = this.#parts;
    let isUploaded = false;
    try {
      const gathered = await gather(body, async (octets, number) => {
        await check((number + 1) * octets.length);
        isUploaded = true;
        await upload(this.#database, this.#tables, { id, worker, number, octets });
      });
      await check(gathered.size);
      return await store({ id, message, body: gathered, isUploaded: true });
    } catch (error) {
      if (isUploaded) await abandonUpload(this.#database, this.#tables, id);
      throw error;
    }
  }

  #extend(claim: Claim, leaseUntil: number, committing?: Committing): Promise<Claim> {
    const { clock } = this.#parts;
    return this.#run(async () => {
      const until = await extend(
        this.#database,
        this.#tables,
        claim,
        clock.toDatabase(leaseUntil),
        committing,
      );
      return { ...claim, leaseUntil: clock.fromDatabase(until) };
    });
  }

  #change(id: string, assignment: Parameters<typeof change>[3]): Promise<boolean> {
    return this.#run(async () => {
      const departures: readonly Departure[] | undefined = await change(
        this.#database,
        this.#tables,
        id,
        assignment,
      );
      this.#parts.fill.left(departures ?? []);
      this.#changed();
      return departures !== undefined;
    });
  }

  #changed(): void {
    for (const listener of this.#parts.listeners) queueMicrotask(listener);
    this.#parts.keeper.notify();
  }

  async #sweep(): Promise<void> {
    await sweepUploads(this.#database, this.#tables, '');
    await sweepDeparted(this.#database, this.#tables);
  }
}

function newId(): string {
  return randomBytes(10).toString('hex');
}
