/** Brings the tables to the format that this version reads and writes. */
import { QueueUnreadableError } from '@sansmtp/queue';
import { lockName, lockNumber } from '../database/advisory-locks.js';
import type { Database } from '../database/database.js';
import { type Migration, migrations } from './migrations.js';
import { type Tables, tablesOf } from './tables.js';

/**
 * All or nothing, and one at a time, however many processes begin at once.
 * @throws {QueueUnreadableError} a newer version has been there
 */
export async function migrate(
  database: Database,
  schema: string,
  steps: readonly Migration[] = migrations,
): Promise<Tables> {
  const tables = tablesOf(schema);
  await database.transaction(async ({ query }) => {
    await query(`SELECT pg_advisory_xact_lock(${lockNumber('$1')})`, [lockName(schema, 'format')]);
    const [found] = await query<{ schema: boolean; format: boolean }>(
      'SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS schema, to_regclass($2) IS NOT NULL AS format',
      [schema, tables.format],
    );
    // CREATE SCHEMA IF NOT EXISTS takes the right to create one even where it exists.
    if (found?.schema !== true) await query(`CREATE SCHEMA "${schema}"`);
    if (found?.format !== true) {
      await query(`CREATE TABLE ${tables.format} (version integer NOT NULL)`);
      await query(`INSERT INTO ${tables.format} VALUES (0)`);
    }
    const [{ version } = { version: 0 }] = await query<{ version: number }>(
      `SELECT version FROM ${tables.format}`,
    );
    if (version > steps.length) {
      throw new QueueUnreadableError(
        `The queue in the schema ${schema} has format ${version}, and this version of @sansmtp/queue-postgres knows those up ` +
          `to ${steps.length}: a newer one has been there; use that`,
      );
    }
    if (version === steps.length) return;
    for (const step of steps.slice(version)) await query(step(tables));
    await query(`UPDATE ${tables.format} SET version = $1`, [steps.length]);
  });
  return tables;
}
