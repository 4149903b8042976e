/**
 * `npm run power --workspace @sansmtp/conformance`: plants each fault, runs the cases until four find it, and three seeds of generated dialogues,
 * and writes what found it: the tables of docs/testing.md, and `finders.json`, from which the tests find them again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { serverFaultNames } from '../planted/server/faults.js';
import { type Finder, findersFile } from './finders.js';
import { casesThatFind, examinePlanted, generationThatFinds, MOST_RUNS } from './measuring.js';
import { BEGIN, byCases, byGeneration, END, type FaultPower, powerTables } from './table.js';

/** Of generated dialogues. */
const SEEDS = [1, 2, 3];
/** Cases until no more are looked for: three are named. */
const MOST_CASES = 4;

const powers: FaultPower[] = [];
const finders: Record<string, Finder> = {};
for (const fault of serverFaultNames) {
  const examination = await examinePlanted(fault);
  const cases = await casesThatFind(examination, MOST_CASES);
  const generation = [];
  for (const seed of SEEDS) generation.push(await generationThatFinds(examination, fault, { seed }));
  const power: FaultPower = { fault, cases, generation };
  powers.push(power);
  const found = generation.find(({ path }) => path !== undefined);
  finders[fault] = {
    ...(cases[0] !== undefined && { case: cases[0] }),
    ...(found?.path !== undefined && { seed: found.seed, path: found.path }),
  };
  const runs = generation.map((each) => each.runs ?? 'none').join(', ');
  console.log(`${fault}: ${cases.length} cases; ${runs} dialogues`);
}

const document = new URL('../../../../docs/testing.md', import.meta.url);
const text = readFileSync(document, 'utf8');
const [before = '', rest = ''] = text.split(BEGIN);
const after = rest.split(END)[1] ?? '';
writeFileSync(document, before + powerTables(powers, MOST_RUNS, SEEDS.length) + after);
writeFileSync(findersFile, `${JSON.stringify(finders, null, 2)}\n`);

const missed = (isFound: (power: FaultPower) => boolean) =>
  powers.filter((each) => !isFound(each)).map(({ fault }) => fault);
console.log(`Not found by cases: ${missed(byCases).join(', ') || 'none'}`);
console.log(`Not found by generated dialogues: ${missed(byGeneration).join(', ') || 'none'}`);
