/** What Node loads is the same as what everyone else gets, in one file. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as chart from '../src/chart.js';
import * as core from '../src/index.js';

const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

it.each([
  ['.', core],
  ['./chart', chart],
])('%s exports for Node what its modules export', async (entry, modules) => {
  const bundled = await import(new URL(`../${exports[entry].node}`, import.meta.url).href);
  expect(Object.keys(bundled).sort()).toEqual(Object.keys(modules).sort());
});
