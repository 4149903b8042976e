/**
 * One connection that stays, for what PostgreSQL ties to a connection: it listens to the other processes, and holds locks that
 * end with this process. If it is lost, it is opened anew, with all that it held.
 */
import pg from 'pg';
import { lockNumber } from './advisory-locks.js';
import { prepareConnection } from './database.js';
import { readable } from './errors.js';

/** Milliseconds until the first attempt to connect anew; each further one waits twice as long. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 10_000;

/** Milliseconds in which notifications of one process become one. */
const GATHERING = 20;

/** Milliseconds for which a lock is waited for that its last holder may just be losing, and a connection that is being opened. */
const PATIENCE = 5000;
const PAUSE = 50;

export interface KeeperOptions {
  readonly config: pg.ClientConfig;
  readonly hide: readonly string[];
  readonly Client?: typeof pg.Client | undefined;
  /** What processes on the same queue listen to. */
  readonly channel: string;
  /** Tells this process from the others. */
  readonly self: string;
  /** The lock that is this process's own. */
  readonly ownLock: string;
  /** Another process changed something, or may have, while the connection was lost. */
  readonly onNotice: () => void;
  /** The connection was lost, and meanwhile another process has taken the own lock. */
  readonly onUsurped: () => void;
}

const KEEPALIVES = `SELECT set_config('tcp_keepalives_idle', '10', false),
  set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false)`;

const LOCK = lockNumber('$1');

export class Keeper {
  readonly #options: KeeperOptions;
  /** Shared locks by name, and how often each is held. */
  readonly #shared = new Map<string, number>();
  #client: pg.Client | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #notifying: NodeJS.Timeout | undefined;
  #reconnecting: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** @returns undefined: another process has the own lock */
  static async open(options: KeeperOptions): Promise<Keeper | undefined> {
    const keeper = new Keeper(options);
    try {
      if (await keeper.#connect()) return keeper;
    } catch (error) {
      await keeper.close();
      throw error;
    }
    await keeper.close();
    return undefined;
  }

  /** What the other processes listen to. */
  get channel(): string {
    return this.#options.channel;
  }

  /** @returns false: somebody holds it alone */
  async lockShared(name: string): Promise<boolean> {
    const [row] = await this.#query<{ locked: boolean }>(
      `SELECT pg_try_advisory_lock_shared(${LOCK}) AS locked`,
      [name],
    );
    if (row?.locked !== true) return false;
    this.#shared.set(name, (this.#shared.get(name) ?? 0) + 1);
    return true;
  }

  async unlockShared(name: string): Promise<void> {
    const left = (this.#shared.get(name) ?? 1) - 1;
    if (left === 0) this.#shared.delete(name);
    else this.#shared.set(name, left);
    // With the connection the lock is gone as well.
    await this.#query(`SELECT pg_advisory_unlock_shared(${LOCK})`, [name]).catch(() => {});
  }

  /** Tells the other processes, soon and for many changes at once: at each commit, it would let commits wait for each other. */
  notify(): void {
    this.#notifying ??= setTimeout(() => {
      this.#notifying = undefined;
      this.#query('SELECT pg_notify($1, $2)', [this.#options.channel, this.#options.self]).catch(() => {});
    }, GATHERING);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#notifying);
    clearTimeout(this.#reconnecting);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  /** One at a time; where the connection is being opened anew, that is waited for. */
  #query<Row>(text: string, values: readonly string[]): Promise<readonly Row[]> {
    const answer = this.#turn.then(async () => {
      try {
        const client = await this.#connected();
        return (await client.query(text, [...values])).rows as readonly Row[];
      } catch (error) {
        throw readable(error, this.#options.hide);
      }
    });
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #connected(): Promise<pg.Client> {
    for (let waited = 0; waited < PATIENCE && !this.#isClosed; waited += PAUSE) {
      if (this.#client !== undefined) return this.#client;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    throw new Error('connection lost');
  }

  /** @returns whether the own lock could be had */
  async #connect(): Promise<boolean> {
    const { config, hide, Client = pg.Client, channel, self, onNotice } = this.#options;
    const client = new Client(config);
    client.on('error', () => {});
    client.on('notification', ({ payload }) => {
      if (payload !== self) onNotice();
    });
    try {
      await client.connect();
      client.once('end', () => this.#lost(client));
      await prepareConnection(client);
      // The server has to notice a machine that is gone, for its locks are in the way of its successor.
      await client.query(KEEPALIVES);
      await client.query(`LISTEN "${channel}"`);
      if (!(await this.#hasOwnLock(client))) {
        await client.end();
        return false;
      }
      for (const [name, times] of this.#shared) {
        for (let i = 0; i < times; i++)
          await client.query(`SELECT pg_try_advisory_lock_shared(${LOCK})`, [name]);
      }
    } catch (error) {
      client.end().catch(() => {});
      throw readable(error, hide);
    }
    this.#client = client;
    // It was lost, or the store closed, while this was under way.
    if (this.#isClosed) await this.close();
    return true;
  }

  async #hasOwnLock(client: pg.Client): Promise<boolean> {
    for (let waited = 0; ; waited += PAUSE) {
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LOCK}) AS locked`, [
        this.#options.ownLock,
      ]);
      if (rows[0]?.locked === true) return true;
      if (waited >= PATIENCE) return false;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#reconnect(FIRST_WAIT);
  }

  #reconnect(wait: number): void {
    if (this.#isClosed) return;
    this.#reconnecting = setTimeout(async () => {
      try {
        if (await this.#connect()) this.#options.onNotice();
        else this.#options.onUsurped();
      } catch {
        this.#reconnect(Math.min(2 * wait, LONGEST_WAIT));
      }
    }, wait);
  }
}
