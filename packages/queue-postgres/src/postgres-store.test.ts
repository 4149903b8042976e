/** What the store in PostgreSQL does beyond the contract: several processes, the application's transactions, a database that goes. */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import type { NewMessage, QueuedMessage } from '@sansmtp/queue';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  DatabaseUnavailableError,
  openPostgresQueue,
  type PostgresQueue,
  type PostgresQueueOptions,
} from './index.js';
import { MortalClients } from './mortal-client.test-support.js';
import { openWith } from './open-queue.js';
import { PASSWORD, type PostgresServer, startPostgres } from './postgres-server.test-support.js';
import { migrations } from './schema/migrations.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let server: PostgresServer;
let pool: pg.Pool;
beforeAll(async () => {
  server = await startPostgres();
  pool = new pg.Pool({ ...server.connection, max: 5 });
  pool.on('error', () => {});
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});

let schemas = 0;
let schema = '';
const opened: PostgresQueue[] = [];

async function open(options: PostgresQueueOptions = {}): Promise<PostgresQueue> {
  const queue = await openPostgresQueue({ connection: server.connection, schema, ...options });
  opened.push(queue);
  return queue;
}

/** Nothing of the case before. */
function anew(): void {
  schema = `case_${++schemas}`;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()));
});

const message = (more: Partial<NewMessage> = {}): NewMessage => ({
  envelope: {
    reversePath: { localPart: 'shop', domain: 'example.org' },
    recipients: [{ localPart: 'ann', domain: 'example.com' }],
  },
  now: Date.now(),
  ...more,
});

async function* bodyOf(octets: number): AsyncGenerator<Uint8Array> {
  for (let left = octets; left > 0; left -= 10_000) yield new Uint8Array(Math.min(left, 10_000)).fill(left);
}

async function sizeOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  return size;
}

async function ids(queue: PostgresQueue): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { id } of queue.list()) found.push(id);
  return found;
}

const rowsOf = async (table: string) => (await pool.query(`SELECT * FROM ${schema}.${table}`)).rowCount;

const claim = (queue: PostgresQueue, now = Date.now(), limit = 10) =>
  queue.claim({ now, lease: MINUTE, limit });

const delivered = (place = 0) =>
  ({
    place,
    state: 'delivered',
    attempt: { at: Date.now(), verdict: 'delivered', reply: '250 OK', host: 'mx', reason: 'ok' },
  }) as const;

/** Until something holds that comes by itself. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('in a transaction of the application', () => {
  const withOrders = async () => {
    anew();
    const queue = await open();
    await pool.query(`CREATE TABLE ${schema}.orders (customer text)`);
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query(`INSERT INTO ${schema}.orders VALUES ('ann')`);
    return { queue, client };
  };
  const SIZES = [0, 500, 200_000];

  it.each(SIZES)('a message of %i octets comes to be with the order', async (octets) => {
    const { queue, client } = await withOrders();
    const { id } = await queue.put(message(), bodyOf(octets), { transaction: client });
    expect(await ids(queue)).toEqual([]);
    expect(await claim(queue)).toEqual([]);
    await client.query('COMMIT');
    client.release();
    expect(await ids(queue)).toEqual([id]);
    expect(await sizeOf(queue.body(id))).toBe(octets);
    const [claimed] = await claim(queue);
    expect(claimed?.message.id).toBe(id);
  });

  it.each(SIZES)('a message of %i octets goes with the order that is rolled back', async (octets) => {
    const { queue, client } = await withOrders();
    await queue.put(message(), bodyOf(octets), { transaction: client });
    await client.query('ROLLBACK');
    client.release();
    expect(await ids(queue)).toEqual([]);
    expect([await rowsOf('orders'), await rowsOf('chunk'), await rowsOf('recipient')]).toEqual([0, 0, 0]);
  });

  it.each(SIZES)(
    'a message of %i octets goes with the connection that is lost in between',
    async (octets) => {
      const { queue, client } = await withOrders();
      client.on('error', () => {});
      await queue.put(message(), bodyOf(octets), { transaction: client });
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await expect(client.query('COMMIT')).rejects.toThrow();
      client.release(true);
      expect(await ids(queue)).toEqual([]);
      expect([await rowsOf('orders'), await rowsOf('chunk')]).toEqual([0, 0]);
    },
  );

  it('is told of when that is committed, and not before', async () => {
    const { queue, client } = await withOrders();
    let told = 0;
    queue.subscribe(() => told++);
    await queue.put(message(), bodyOf(10), { transaction: client });
    // What another connection notifies comes after what was notified before.
    await pool.query(`NOTIFY ${schema}, 'other'`);
    await until(() => told > 0);
    expect(told).toBe(1);
    await client.query('COMMIT');
    client.release();
    await until(() => told > 1);
  });

  it('a body that breaks leaves nothing, though the order is committed', async () => {
    const { queue, client } = await withOrders();
    async function* broken() {
      yield* bodyOf(200_000);
      throw new Error('the disk of the shop');
    }
    const put = queue.put(message(), broken(), { transaction: client });
    await expect(put).rejects.toThrow('the disk of the shop');
    await client.query('COMMIT');
    client.release();
    expect([await rowsOf('orders'), await rowsOf('chunk'), await rowsOf('message')]).toEqual([1, 0, 0]);
  });

  it('takes no client without a transaction, nor a pool', async () => {
    anew();
    const queue = await open();
    const client = await pool.connect();
    for (const transaction of [client, pool]) {
      const put = queue.put(message(), bodyOf(10), { transaction });
      await expect(put).rejects.toMatchObject({ name: 'NoTransactionError' });
    }
    client.release();
    expect(await ids(queue)).toEqual([]);
  });
});

describe('several processes', () => {
  it('are told of what others put, and share it', async () => {
    anew();
    const [one, other] = [await open(), await open()];
    let told = 0;
    other.subscribe(() => told++);
    for (let i = 0; i < 30; i++) await one.put(message(), bodyOf(10));
    await until(() => told > 0);
    const take = async (queue: PostgresQueue) => {
      const taken: string[] = [];
      for (;;) {
        const claims = await claim(queue, Date.now(), 2);
        if (claims.length === 0 && (await queue.count()).waiting === 0) return taken;
        for (const each of claims) {
          taken.push(each.message.id);
          await queue.settle(each, [delivered()]);
        }
      }
    };
    const taken = (await Promise.all([take(one), take(other), take(one), take(other)])).flat();
    expect(new Set(taken).size).toBe(30);
    expect(taken.length).toBe(30);
    expect([await rowsOf('message'), await rowsOf('chunk'), await rowsOf('claim')]).toEqual([0, 0, 0]);
  });

  it('deliver what another accepted, and read it to the end though it has left the queue', async () => {
    anew();
    const [one, other] = [await open(), await open()];
    const { id } = await one.put(message(), bodyOf(2_000_000));
    const reading = one.body(id)[Symbol.asyncIterator]();
    let octets = (await reading.next()).value?.length ?? 0;
    const [claimed] = await claim(other);
    if (claimed === undefined) throw new Error('nothing was claimed');
    expect(await sizeOf(other.body(id))).toBe(2_000_000);
    await other.settle(claimed, [delivered()]);
    await expect(sizeOf(other.body(id))).rejects.toMatchObject({ name: 'NotInQueueError' });
    for (let next = await reading.next(); !next.done; next = await reading.next())
      octets += next.value.length;
    expect(octets).toBe(2_000_000);
    expect([await rowsOf('chunk'), await rowsOf('departed')]).toEqual([0, 0]);
  });

  it('have names of their own', async () => {
    anew();
    await open({ worker: 'mx1' });
    await expect(open({ worker: 'mx1' })).rejects.toMatchObject({ name: 'QueueInUseError' });
    await open({ worker: 'mx2' });
  }, 60_000);

  it('wait for the lease of one that died, unless it comes back under its name', async () => {
    anew();
    const mortals = new MortalClients('dies');
    const dying = await openWith(
      { connection: server.connection, schema, worker: 'mx1' },
      { Client: mortals.Client },
    );
    const other = await open({ worker: 'mx2' });
    const { id } = await dying.put(message(), bodyOf(10));
    const now = Date.now();
    const [claimed] = await claim(dying, now);
    if (claimed === undefined) throw new Error('nothing was claimed');
    await dying.committing(claimed, now);
    mortals.die();
    expect(await claim(other, now + 10 * MINUTE)).toEqual([]);
    await open({ worker: 'mx1' });
    expect((await other.show(id))?.recipients[0]?.last?.verdict).toBe('unknown');
    expect((await claim(other, now))[0]?.message.id).toBe(id);
  });

  it('give what a closed one had claimed', async () => {
    anew();
    const [one, other] = [await open(), await open()];
    await one.put(message(), bodyOf(10));
    expect(await claim(one)).toHaveLength(1);
    await one.close();
    expect(await claim(other)).toHaveLength(1);
  });

  /** As on a machine whose clock is wrong. */
  const ahead = async <T>(milliseconds: number, task: () => Promise<T>): Promise<T> => {
    const clock = vi.spyOn(Date, 'now');
    clock.mockImplementation(() => Math.round(performance.timeOrigin + performance.now()) + milliseconds);
    try {
      return await task();
    } finally {
      clock.mockRestore();
    }
  };

  it('take nothing from each other because their clocks differ', async () => {
    anew();
    const one = await open();
    const other = await ahead(HOUR, () => open());
    const late = await ahead(-HOUR, () => open());
    const due = Date.now() - 2 * HOUR;
    await one.put(message({ due }), bodyOf(10));
    await one.put(message({ due }), bodyOf(10));
    const [claimed] = await claim(one, Date.now(), 1);
    expect(claimed?.leaseUntil).toBeGreaterThan(Date.now() + MINUTE / 2);
    const theirs = await ahead(HOUR, () => claim(other));
    expect(theirs).toHaveLength(1);
    expect(theirs[0]?.message.id).not.toBe(claimed?.message.id);
    expect(await ahead(-HOUR, () => claim(late))).toEqual([]);
    expect(await ahead(-HOUR, () => claim(late, Date.now() + 2 * MINUTE))).toHaveLength(2);
  });

  it('take nothing back by a clock that was set meanwhile', async () => {
    anew();
    const [one, other] = [await open(), await open()];
    await one.put(message(), bodyOf(10));
    expect(await claim(one)).toHaveLength(1);
    for (let i = 0; i < 3; i++) expect(await ahead(HOUR, () => claim(other))).toEqual([]);
    expect(await claim(other)).toEqual([]);
    expect(await claim(other)).toEqual([]);
  });
});

describe('a database that goes', () => {
  it('away under all connections leaves claims as they are, and listeners listen again', async () => {
    anew();
    const [one, other] = [await open({ worker: 'mx1' }), await open()];
    await one.put(message(), bodyOf(10));
    const [claimed] = await claim(one);
    if (claimed === undefined) throw new Error('nothing was claimed');
    let told = 0;
    other.subscribe(() => told++);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sansmtp queue'`,
    );
    const listening = async () => {
      const { rowCount } = await pool.query(
        `SELECT FROM pg_stat_activity WHERE application_name = 'sansmtp queue' AND query LIKE '%advisory_lock%'`,
      );
      return rowCount === 2;
    };
    await until(listening);
    await until(async () => {
      try {
        return (await claim(other)).length === 0;
      } catch (error) {
        expect(error).toBeInstanceOf(DatabaseUnavailableError);
        return false;
      }
    });
    told = 0;
    await one.put(message(), bodyOf(10)).catch(() => one.put(message(), bodyOf(10)));
    await until(() => told > 0);
    await one.settle(await one.committing(claimed, Date.now()), [delivered()]);
  });

  it('down and comes back has all that was promised, and is used again', async () => {
    anew();
    const queue = await open({ worker: 'mx1' });
    const promised = new Map<string, QueuedMessage>();
    let isOver = false;
    let failures = 0;
    const putting = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        try {
          const put = await queue.put(message(), bodyOf(promised.size % 3 === 0 ? 150_000 : 100));
          promised.set(put.id, put);
        } catch (error) {
          expect(error).toBeInstanceOf(DatabaseUnavailableError);
          failures++;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    });
    await until(() => promised.size > 20);
    const [claimed] = await claim(queue, Date.now(), 1);
    if (claimed === undefined) throw new Error('nothing was claimed');
    const committing = await queue.committing(claimed, Date.now());
    await server.halt();
    await until(() => failures > 0);
    await server.start();
    const before = promised.size;
    await until(() => promised.size > before + 10);
    isOver = true;
    await Promise.all(putting);
    const found = new Set(await ids(queue));
    expect([...promised.keys()].filter((id) => !found.has(id))).toEqual([]);
    for (const { id, size } of promised.values()) expect(await sizeOf(queue.body(id))).toBe(size);
    await queue.settle(committing, [delivered()]);
    expect(await queue.show(claimed.message.id)).toBeUndefined();
  });

  it('says so when there is none, and never the password', async () => {
    const nowhere = 'postgres://shop:s3cret-w0rd@127.0.0.1:1/shop';
    const wrong = server.url.replace(encodeURIComponent(PASSWORD), 's3cret-w0rd');
    const unreadable = [
      'postgres://shop:s3cret-w0rd@[half/shop',
      'postgres://shop:s3cret-w0rd@host:port/shop',
    ];
    for (const connection of [nowhere, wrong, ...unreadable]) {
      const error = await openPostgresQueue({ connection }).then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
      if (connection === nowhere) expect(error).toBeInstanceOf(DatabaseUnavailableError);
    }
  });
});

it('the program of the README puts an order and its mail', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, program = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const lines = program
    .replace(/^import .*$/m, '')
    .replace("'postgres://mail:secret@db.example.org/shop'", 'JSON.parse(place)');
  await pool.query('CREATE TABLE orders (customer text)');
  const envelope = {
    reversePath: { localPart: 'shop', domain: 'example.org' },
    recipients: [{ localPart: 'ann', domain: 'example.com' }],
  };
  async function* body() {
    yield Buffer.from('Subject: Your order\r\n\r\nThank you.\r\n');
  }
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const run = new AsyncFunction(
    ...['openPostgresQueue', 'pool', 'envelope', 'body', 'place', `${lines}; return { queue, id };`],
  );
  const { queue, id } = await run(
    openPostgresQueue,
    pool,
    envelope,
    body(),
    JSON.stringify(server.connection),
  );
  expect((await pool.query('SELECT customer FROM orders')).rows).toEqual([{ customer: 'ann' }]);
  const [claim] = await queue.claim({ now: Date.now(), lease: 60_000 });
  expect(claim.message.id).toBe(id);
  opened.push(queue);
});

describe('the tables', () => {
  const version = async () => (await pool.query(`SELECT version FROM ${schema}.format`)).rows[0]?.version;

  it('are made once, however many begin at once', async () => {
    anew();
    const queues = await Promise.all(Array.from({ length: 5 }, () => open({ maximumConnections: 2 })));
    const { id } = await (queues[0] as PostgresQueue).put(message(), bodyOf(10));
    for (const queue of queues) expect(await ids(queue)).toEqual([id]);
    expect(await version()).toBe(migrations.length);
  });

  it('of a newer version are refused', async () => {
    anew();
    const queue = await open();
    await queue.put(message(), bodyOf(10));
    await queue.close();
    await pool.query(`UPDATE ${schema}.format SET version = version + 1`);
    await expect(open()).rejects.toMatchObject({ name: 'QueueUnreadableError' });
    expect(await rowsOf('message')).toBe(1);
  });

  it('stand in a schema by name, and each schema is a queue of its own', async () => {
    const first = await openPostgresQueue({ connection: server.url });
    opened.push(first);
    anew();
    const other = await open();
    const { id } = await first.put(message(), bodyOf(10));
    expect(await ids(other)).toEqual([]);
    expect((await pool.query('SELECT id FROM sansmtp.message')).rows).toContainEqual({ id });
  });
});

describe('the options', () => {
  it.each([
    { schema: 'Mail' },
    { schema: 'a"b' },
    { schema: '' },
    { worker: '' },
    { maximumConnections: 0 },
    { maximumMessages: 1.5 },
    { maximumOctets: -1 },
  ])('%o is out of range', async (options) => {
    await expect(openPostgresQueue(options)).rejects.toThrow(RangeError);
  });

  it('are known by name', async () => {
    await expect(openPostgresQueue({ scheme: 'a' } as never)).rejects.toThrow(TypeError);
  });
});
