/**
 * A long queue costs a claim no more than a short one: each statement finds what it wants by an index. The table of times for
 * longer queues: `npm run scale`, or with `QUEUE_SCALE=1000,1000000`.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prepareConnection } from '../src/database/database.js';
import type { PostgresQueue } from '../src/index.js';
import { openWith } from '../src/open-queue.js';
import { type PostgresServer, startPostgres } from '../src/postgres-server.test-support.js';

const sizes = (process.env.QUEUE_SCALE ?? '20000').split(',').map(Number);

const NOW = Date.now();
const MINUTE = 60_000;

let server: PostgresServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client(server.connection);
  await client.connect();
  // Plans as the store's own connections make them.
  await prepareConnection(client);
}, 60_000);
afterAll(async () => {
  await client.end();
  await server.stop();
});

/** What the store asks, as it is asked. */
const asked: { readonly text: string; readonly values: unknown[] }[] = [];

class Overheard extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: one for all the overloads of pg
  override query(...given: any[]): any {
    if (typeof given[0] === 'string' && given[1] !== undefined) {
      asked.push({ text: given[0], values: given[1] });
    }
    return (super.query as (...given: unknown[]) => unknown).apply(this, given);
  }
}

/** Half of the messages due, half for later; from 500 senders, and to 1000 domains, of which one has a third of all. */
async function fill(schema: string, messages: number): Promise<void> {
  const rows = `SELECT 'm' || i AS id, i, CASE WHEN i % 3 = 0 THEN 'large.example' ELSE 'd' || i % 1000 || '.example' END AS domain,
    's' || i % 500 AS sender, i % 2 = 0 AS ready, ${NOW}::bigint + CASE WHEN i % 2 = 0 THEN -i ELSE 86400000 + i END AS due
    FROM generate_series(1, ${messages}) i`;
  const envelope = `json_build_object('reversePath', NULL, 'recipients', json_build_array(json_build_object('localPart', 'bob', 'domain', domain)))`;
  await client.query(`INSERT INTO ${schema}.message (id, arrived, size, envelope, sender, held)
    SELECT id, ${NOW}, 100, ${envelope}, sender, false FROM (${rows}) r`);
  await client.query(
    `INSERT INTO ${schema}.recipient (message, place, domain, next) SELECT id, 0, domain, due FROM (${rows}) r`,
  );
  await client.query(`INSERT INTO ${schema}.delivery (message, domain, priority, sender, due, ready)
    SELECT id, domain, 0, sender, due, ready FROM (${rows}) r`);
  await client.query(
    `INSERT INTO ${schema}.chunk (message, number, octets) SELECT id, 0, repeat('a', 100)::bytea FROM (${rows}) r`,
  );
  await client.query('ANALYZE');
}

async function* body(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(100);
}

const envelope = {
  reversePath: { localPart: 'ann', domain: 'example.org' },
  recipients: [{ localPart: 'bob', domain: 'd1.example' }],
};

/** Blocks that the server has looked at: unlike times, they are the same on a busy machine. */
async function blocks(): Promise<number> {
  // A connection that ends tells what it has counted a moment later.
  let last = -1;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { rows } = await client.query(
      `SELECT sum(blks_hit + blks_read) AS blocks FROM pg_stat_database WHERE datname = current_database()`,
    );
    if (Number(rows[0].blocks) - last < 1000) return Number(rows[0].blocks);
    last = Number(rows[0].blocks);
  }
}

/** Milliseconds that each method takes, the median of many. */
async function times(queue: PostgresQueue): Promise<Record<string, number>> {
  const taken = new Map<string, number[]>();
  const timed = async <T>(name: string, task: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await task();
    taken.set(name, [...(taken.get(name) ?? []), performance.now() - begun]);
    return result;
  };
  for (let round = 0; round < 20; round++) {
    await timed('put', () => queue.put({ envelope, now: NOW }, body()));
    const claims = await timed('claim of 10', () => queue.claim({ now: NOW, lease: MINUTE, limit: 10 }));
    expect(claims).toHaveLength(10);
    for (const each of claims) {
      const claim = await timed('committing', () => queue.committing(each, NOW));
      const attempt = { at: NOW, verdict: 'delivered', reply: null, host: null, reason: 'ok' } as const;
      await timed('settle', () => queue.settle(claim, [{ place: 0, state: 'delivered', attempt }]));
    }
    await timed('nextDue', () => queue.nextDue());
  }
  const median = (list: number[]) => list.sort((one, other) => one - other)[Math.floor(list.length / 2)] ?? 0;
  return Object.fromEntries([...taken].map(([name, list]) => [name, Math.round(median(list) * 10) / 10]));
}

it.each(sizes)(
  'with %i messages each statement finds its rows by an index',
  async (messages) => {
    const schema = `scale_${messages}`;
    const connection = server.connection;
    const empty = await openWith({ connection, schema });
    await fill(schema, messages);
    await empty.close();
    const blocksBefore = await blocks();
    const begun = performance.now();
    const queue = await openWith({ connection, schema, maximumMessages: 10_000_000 }, { Client: Overheard });
    const opened = Math.round(performance.now() - begun);
    asked.length = 0;
    const table = await times(queue);
    await queue.close();
    // To say whether the queue is full, all messages are counted once.
    const counted = await client.query(`SELECT pg_relation_size('${schema}.message') / 8192 AS blocks`);
    const read = (await blocks()) - blocksBefore - Number(counted.rows[0].blocks);
    // That, and `count()`, have to look at all messages.
    const everyone = /count\(\*\)/;
    for (const { text, values } of new Map(asked.map((each) => [each.text, each])).values()) {
      if (everyone.test(text) || !/^(?:WITH|SELECT|UPDATE|DELETE|INSERT)/.test(text)) continue;
      const { rows } = await client.query(`EXPLAIN ${text}`, values);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan, `${text}\n${plan}`).not.toMatch(/Seq Scan on (?:message|recipient|delivery|chunk)/);
    }
    if (process.env.QUEUE_SCALE !== undefined)
      console.log(messages, { open: opened, ...table, blocks: Math.round(read / 200) });
  },
  1_200_000,
);
