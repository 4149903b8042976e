/**
 * `npm run power:clients --workspace @sansmtp/conformance`: plants each fault in the small client, looks for a case that finds it, and
 * writes the table of docs/testing.md, and `finders.json`, from which the tests find them again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import { caseThatFinds, findersFile, forEachFault, readFinders } from './measuring.js';
import { BEGIN, clientPowerTable, END } from './table.js';

const known = readFinders();
const found = new Map<FaultId, string>();
await forEachFault(async (fault) => {
  const id = await caseThatFinds(fault, known[fault]);
  if (id !== undefined) found.set(fault, id);
  console.log(`${fault}: ${id ?? 'no case'}`);
});

const document = new URL('../../../../../docs/testing.md', import.meta.url);
const text = readFileSync(document, 'utf8');
const [before = '', rest = ''] = text.split(BEGIN);
const after = rest.split(END)[1] ?? '';
writeFileSync(document, before + clientPowerTable(found) + after);
const finders = CLIENT_FAULTS.flatMap(({ id }) => (found.has(id) ? [[id, found.get(id)]] : []));
writeFileSync(findersFile, `${JSON.stringify(Object.fromEntries(finders), null, 2)}\n`);
