/** Each fault of the small client is found again by what found it when the tables were written: a case, a generated server. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import { caseThatFinds, forEachFault, generationThatFinds, readFinders } from './measuring.js';
import { BEGIN, END } from './table.js';

const finders = readFinders();
const FIVE_IN_A_HUNDRED = CLIENT_FAULTS.length * 0.05;

describe('the faults of the small client', () => {
  it('are found by the cases, 95 in 100', async () => {
    const missed: FaultId[] = [];
    await forEachFault(async (fault) => {
      if ((await caseThatFinds(fault, finders[fault]?.case)) === undefined) missed.push(fault);
    });
    expect(missed.length, `not found: ${missed}`).toBeLessThanOrEqual(FIVE_IN_A_HUNDRED);
  }, 300_000);

  it('are found by generated servers, 95 in 100', async () => {
    const missed: FaultId[] = [];
    await forEachFault(async (fault) => {
      const { seed = 1, path } = finders[fault] ?? {};
      const isFound =
        path !== undefined && (await generationThatFinds(fault, { seed, path, runs: 1 })).runs !== undefined;
      if (!isFound) missed.push(fault);
    });
    expect(missed.length, `not found: ${missed}`).toBeLessThanOrEqual(FIVE_IN_A_HUNDRED);
  }, 300_000);

  it('are found by either, all of them', () => {
    const found = (fault: FaultId) =>
      finders[fault]?.case !== undefined || finders[fault]?.path !== undefined;
    expect(CLIENT_FAULTS.map(({ id }) => id).filter((id) => !found(id))).toEqual([]);
  });

  it('stand in docs/testing.md, each in a row', () => {
    const document = readFileSync(new URL('../../../../../docs/testing.md', import.meta.url), 'utf8');
    const table = document.slice(document.indexOf(BEGIN), document.indexOf(END));
    for (const { id, description, clause } of CLIENT_FAULTS) {
      expect(table).toContain(`| ${description} | ${clause} | ${finders[id]?.case ?? 'none'} |`);
    }
  });
});
