import { type StoreUnderTest, storeComplianceCases } from '@sansmtp/queue/compliance';
import pg from 'pg';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { MortalClients } from './mortal-client.test-support.js';
import { openWith } from './open-queue.js';
import { type PostgresServer, startPostgres } from './postgres-server.test-support.js';

let server: PostgresServer;
let observer: pg.Pool;

beforeAll(async () => {
  server = await startPostgres();
  observer = new pg.Pool(server.connection);
}, 60_000);

afterAll(async () => {
  await observer.end();
  await server.stop();
});

/** Milliseconds: the machine may be busy with other things. */
const CONNECT_TIMEOUT = 120_000;

let places = 0;
let lives = 0;

/** Which steps of a story to die at: `offset`, and each `stride`th after it. */
interface Steps {
  readonly stride: number;
  readonly offset: number;
}

const EACH: Steps = { stride: 1, offset: 0 };

/** Queries, more than it takes to open a store that is there. */
const REOPENING = 12;

/** A schema of its own, and a worker that has the same name each time that it is opened. */
async function create({ stride, offset } = EACH): Promise<StoreUnderTest> {
  const schema = `place_${++places}`;
  let mortals = new MortalClients(`life ${++lives}`);
  let step: number | undefined;
  return {
    open: (limits) =>
      openWith(
        { connection: server.connection, schema, worker: 'one', maximumConnections: 3, ...limits },
        { Client: mortals.Client, connectTimeout: CONNECT_TIMEOUT },
      ),
    dieAfter(steps) {
      // First in the story, then while it is opened again: there as after the same story with a stride of 1.
      const isStory = step === undefined;
      step ??= steps * stride + offset;
      mortals.dieAfter(isStory ? step : step % REOPENING);
    },
    async crash() {
      mortals.die();
      await mortals.gone(observer);
      mortals = new MortalClients(`life ${++lives}`);
    },
  };
}

/**
 * Dying at each of some 275 queries, half of which are answered and half of which are not sent, takes five minutes of a processor:
 * `npm run crashes`. Here it dies at every fortieth.
 */
const STRIDE = 40;

/** As many stories at a time, each of which dies at other steps: what takes time is waiting for the database. */
const PARTS = 4;

const isLong = (name: string): boolean => name.includes('at any step');

describe('the store in PostgreSQL', () => {
  for (const { name, run } of storeComplianceCases) {
    if (!isLong(name)) it(name, () => run(create), 120_000);
    else if (process.env.QUEUE_CRASHES === undefined) {
      it(name, () => run(() => create({ stride: STRIDE, offset: 0 })), 120_000);
    } else {
      it.concurrent.each(Array.from({ length: PARTS }, (_, offset) => offset))(
        `${name}: ${PARTS} n + %i`,
        (offset) => run(() => create({ stride: PARTS, offset })),
        3_600_000,
      );
    }
  }
});
