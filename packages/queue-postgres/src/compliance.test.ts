import { type StoreUnderTest, storeComplianceCases } from '@sansmtp/queue/compliance';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { MortalClients } from './mortal-client.test-support.js';
import { openWith } from './open-queue.js';
import { type PostgresServer, startPostgres } from './postgres-server.test-support.js';

let server: PostgresServer;
let observer: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  observer = new pg.Client(server.connection);
  await observer.connect();
}, 60_000);

afterAll(async () => {
  await observer.end();
  await server.stop();
});

let places = 0;
let lives = 0;

/** A schema of its own, and a worker that has the same name each time that it is opened. */
async function create(stride = 1): Promise<StoreUnderTest> {
  const schema = `place_${++places}`;
  let mortals = new MortalClients(`life ${++lives}`);
  return {
    open: (limits) =>
      openWith(
        { connection: server.connection, schema, worker: 'one', maximumConnections: 3, ...limits },
        mortals.Client,
      ),
    dieAfter: (steps) => mortals.dieAfter(steps * stride),
    async crash() {
      mortals.die();
      await mortals.gone(observer);
      mortals = new MortalClients(`life ${++lives}`);
    },
  };
}

/** Dying at each of some 280 queries takes minutes: `npm run crashes`. Here it dies at every fortieth. */
const STRIDE = Number(process.env.QUEUE_CRASH_STRIDE ?? 40);

describe('the store in PostgreSQL', () => {
  for (const { name, run } of storeComplianceCases) {
    const isLong = name.includes('at any step');
    it(name, () => run(() => create(isLong ? STRIDE : 1)), isLong ? 3_600_000 : 120_000);
  }
});
