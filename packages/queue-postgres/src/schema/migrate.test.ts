import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../database/database.js';
import { type PostgresServer, startPostgres } from '../postgres-server.test-support.js';
import { migrate } from './migrate.js';
import { type Migration, migrations } from './migrations.js';

let server: PostgresServer;
let database: Database;
beforeAll(async () => {
  server = await startPostgres();
  database = openDatabase({ config: server.connection, maximumConnections: 5, hide: [] });
}, 60_000);
afterAll(async () => {
  await database.close();
  await server.stop();
});

/** What a later version might add. */
const noted: Migration = ({ message }) => `ALTER TABLE ${message} ADD note text`;
const broken: Migration = ({ message }) => `ALTER TABLE ${message} ADD other text; SELECT 1 / 0`;

const columns = async (schema: string) =>
  (
    await database.query<{ name: string }>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2',
      [schema, 'message'],
    )
  ).map(({ name }) => name);

it('an older store is brought up to date, and what is in it stays', async () => {
  const tables = await migrate(database, 'older');
  await database.query(
    `INSERT INTO ${tables.message} (id, arrived, size, envelope, sender, held) VALUES ('a', 1, 2, '{}', '', false)`,
  );
  await Promise.all(Array.from({ length: 5 }, () => migrate(database, 'older', [...migrations, noted])));
  expect(await database.query(`SELECT id, note FROM ${tables.message}`)).toEqual([{ id: 'a', note: null }]);
});

it('a newer store is refused, and left as it is', async () => {
  await migrate(database, 'newer', [...migrations, noted]);
  await expect(migrate(database, 'newer')).rejects.toMatchObject({ name: 'QueueUnreadableError' });
  expect(await columns('newer')).toContain('note');
});

it('a migration that fails leaves nothing behind', async () => {
  await migrate(database, 'failing');
  await expect(migrate(database, 'failing', [...migrations, noted, broken])).rejects.toThrow(
    'division by zero',
  );
  expect(await columns('failing')).not.toContain('note');
  await migrate(database, 'failing', [...migrations, noted]);
  expect(await columns('failing')).toContain('note');
});

it('a schema that was made by somebody else takes no right to make one', async () => {
  await database.query('CREATE ROLE mail LOGIN');
  await database.query('CREATE SCHEMA granted AUTHORIZATION mail');
  const theirs = openDatabase({
    config: { ...server.connection, user: 'mail' },
    maximumConnections: 1,
    hide: [],
  });
  await migrate(theirs, 'granted');
  await expect(migrate(theirs, 'refused')).rejects.toThrow('permission denied');
  await theirs.close();
  expect(await columns('granted')).toContain('envelope');
});

it('a commit is on the disk when it is answered, whatever the default is', async () => {
  const settings = async (options: string) => {
    const config: pg.ClientConfig = { ...server.connection, options };
    const theirs = openDatabase({ config, maximumConnections: 1, hide: [] });
    const [row] = await theirs.query<{ commit: string }>(
      `SELECT current_setting('synchronous_commit') AS commit`,
    );
    await theirs.close();
    return row?.commit;
  };
  expect(await settings('-c synchronous_commit=off')).toBe('on');
  expect(await settings('-c synchronous_commit=remote_apply')).toBe('remote_apply');
});
