/**
 * `npm run power:clients --workspace @sansmtp/conformance`: plants each fault in the small client, looks for a case that finds it, runs
 * a seed of generated servers, and writes the tables of docs/testing.md, and `finders.json`, from which the tests find
 * the faults again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import {
  type ClientFinder,
  caseThatFinds,
  findersFile,
  forEachFault,
  generationThatFinds,
  MOST_RUNS,
  readFinders,
} from './measuring.js';
import { BEGIN, byCases, byGeneration, type ClientFaultPower, clientPowerTables, END } from './table.js';

const SEEDS = [1];

const known = readFinders();
const powers = new Map<FaultId, ClientFaultPower>();
await forEachFault(async (fault) => {
  const id = await caseThatFinds(fault, known[fault]?.case);
  const generation = [];
  for (const seed of SEEDS) generation.push(await generationThatFinds(fault, { seed }));
  powers.set(fault, { fault, case: id, generation });
  console.log(
    `${fault}: ${id ?? 'no case'}; ${generation.map(({ runs }) => runs ?? 'none').join(', ')} servers`,
  );
});

const all = CLIENT_FAULTS.flatMap(({ id }) => powers.get(id) ?? []);
const document = new URL('../../../../../docs/testing.md', import.meta.url);
const text = readFileSync(document, 'utf8');
const [before = '', rest = ''] = text.split(BEGIN);
const after = rest.split(END)[1] ?? '';
writeFileSync(document, before + clientPowerTables(all, MOST_RUNS, SEEDS.length) + after);

const finderOf = ({ case: id, generation }: ClientFaultPower): ClientFinder => {
  const found = generation.find(({ path }) => path !== undefined);
  return {
    ...(id !== undefined && { case: id }),
    ...(found?.path !== undefined && { seed: found.seed, path: found.path }),
  };
};
const finders = Object.fromEntries(all.map((power) => [power.fault, finderOf(power)]));
writeFileSync(findersFile, `${JSON.stringify(finders, null, 2)}\n`);

const missed = (isFound: (power: ClientFaultPower) => boolean) =>
  all.filter((each) => !isFound(each)).map(({ fault }) => fault);
console.log(`Not found by cases: ${missed(byCases).join(', ') || 'none'}`);
console.log(`Not found by generated servers: ${missed(byGeneration).join(', ') || 'none'}`);
