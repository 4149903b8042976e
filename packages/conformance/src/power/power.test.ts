/**
 * Each planted fault is found: by the case and by the generated dialogue that found it when the tables were written. What does
 * not find it any more is looked for again among all.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isOfLmtp, type ServerFault, serverFaultNames } from '../planted/server-faults.js';
import { readFinders } from './finders.js';
import { allCases, casesThatFind, examinePlanted, finds, generationThatFinds } from './measuring.js';
import { BEGIN, END } from './table.js';

const finders = readFinders();

async function foundByCase(fault: ServerFault): Promise<boolean> {
  const examination = await examinePlanted(fault);
  const known = allCases.find(({ id }) => id === finders[fault]?.case);
  if (examination === undefined || (known && (await finds(examination, known)))) return true;
  return (await casesThatFind(examination, 1)).length > 0;
}

async function foundByGeneration(fault: ServerFault): Promise<boolean> {
  const examination = await examinePlanted(fault);
  const { seed = 1, path } = finders[fault] ?? {};
  if (path !== undefined) {
    const { runs } = await generationThatFinds(examination, fault, { seed, path, runs: 1 });
    if (runs !== undefined) return true;
  }
  return (await generationThatFinds(examination, fault, { seed })).runs !== undefined;
}

async function missedBy(isFound: (fault: ServerFault) => Promise<boolean>): Promise<ServerFault[]> {
  const missed: ServerFault[] = [];
  for (const fault of serverFaultNames) if (!(await isFound(fault))) missed.push(fault);
  return missed;
}

const FIVE_IN_A_HUNDRED = Math.floor(serverFaultNames.length * 0.05);

describe('the faults of the planted server', () => {
  it('are found by the cases, 95 in 100, and by generated dialogues, 95 in 100, and all by either', async () => {
    const byCases = await missedBy(foundByCase);
    const byGeneration = await missedBy(foundByGeneration);
    expect(byCases.length, `not found by cases: ${byCases}`).toBeLessThanOrEqual(FIVE_IN_A_HUNDRED);
    expect(byGeneration.length, `not found by dialogues: ${byGeneration}`).toBeLessThanOrEqual(
      FIVE_IN_A_HUNDRED,
    );
    expect(byCases.filter((fault) => byGeneration.includes(fault))).toEqual([]);
  }, 300_000);

  it('stand in docs/testing.md, each in a row', () => {
    const document = readFileSync(new URL('../../../../docs/testing.md', import.meta.url), 'utf8');
    const table = document.slice(document.indexOf(BEGIN), document.indexOf(END));
    const rows = table.split('\n').filter((line) => line.includes('| RFC '));
    expect(rows.length).toBe(serverFaultNames.length);
    expect(serverFaultNames.some(isOfLmtp)).toBe(true);
  });
});
