/** What judges shares no code with what is judged. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('.', import.meta.url);
const files = readdirSync(folder).filter((name) => !/\.(?:test|test-support)\.ts$/.test(name));

it.each(files)('%s imports nothing but types and its neighbours', (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\b[^;]*? from '([^']+)';/gm)];
  const foreign = imports.filter(
    ([whole, from = '']) => !/^(?:import|export) type /.test(whole) && !from.startsWith('./'),
  );
  expect(foreign.map(([whole]) => whole)).toEqual([]);
});
