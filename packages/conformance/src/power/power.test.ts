/**
 * Each planted fault is found again by what found it when the tables were written: a case, a generated dialogue with its seed.
 * A finder that finds nothing any more makes the tables stale: `npm run power --workspace @sansmtp/conformance`.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ServerFault, serverFaultNames, serverFaults } from '../planted/server/faults.js';
import { readFinders } from './finders.js';
import { allCases, examinePlanted, finds, generationThatFinds, SURVEY } from './measuring.js';
import { BEGIN, END } from './table.js';

const finders = readFinders();
const NINETY_FIVE = Math.ceil(serverFaultNames.length * 0.95);

/** The faults that have a finder of the kind, and those of them that it did not find. */
interface Search {
  readonly sought: ServerFault[];
  readonly missed: ServerFault[];
}

const byCase: Search = { sought: [], missed: [] };
const byDialogue: Search = { sought: [], missed: [] };

beforeAll(async () => {
  for (const fault of serverFaultNames) {
    const { case: id, seed = 1, path } = finders[fault] ?? {};
    const examination = await examinePlanted(fault);
    if (id !== undefined) {
      byCase.sought.push(fault);
      const known = allCases.find((each) => each.id === id);
      const isFound =
        examination === undefined ? id === SURVEY : known !== undefined && (await finds(examination, known));
      if (!isFound) byCase.missed.push(fault);
    }
    // A server that does not come through the survey has no dialogue.
    if (path === undefined && examination !== undefined) continue;
    byDialogue.sought.push(fault);
    const { runs } = await generationThatFinds(examination, fault, { seed, ...(path && { path }), runs: 1 });
    if (runs === undefined) byDialogue.missed.push(fault);
  }
}, 300_000);

describe('the faults of the planted server', () => {
  it('are found by the cases, 95 in 100', () => {
    expect(byCase.missed).toEqual([]);
    expect(byCase.sought.length).toBeGreaterThanOrEqual(NINETY_FIVE);
  });

  it('are found by generated dialogues, 95 in 100', () => {
    expect(byDialogue.missed).toEqual([]);
    expect(byDialogue.sought.length).toBeGreaterThanOrEqual(NINETY_FIVE);
  });

  it('are found by either, all of them', () => {
    const found = new Set([...byCase.sought, ...byDialogue.sought]);
    expect(serverFaultNames.filter((fault) => !found.has(fault))).toEqual([]);
  });

  it('stand in docs/testing.md, each with the case that finds it, and in sum', () => {
    const document = readFileSync(new URL('../../../../docs/testing.md', import.meta.url), 'utf8');
    const table = document.slice(document.indexOf(BEGIN), document.indexOf(END));
    for (const fault of serverFaultNames) {
      const { does, clause } = serverFaults[fault];
      expect(table).toContain(`| ${does} | ${clause} | ${finders[fault]?.case ?? 'none'}`);
    }
    const share = ((100 * byCase.sought.length) / serverFaultNames.length).toFixed(1);
    expect(table).toContain(`| by the fixed cases | ${share} % |`);
  });
});
