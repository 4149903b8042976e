/** What is made from the charts is that of the code. `npm run charts` makes it anew. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { pictures } from './pictures.js';

const top = new URL('../../../', import.meta.url);
const files = await pictures();

describe('npm run charts', () => {
  it('makes, for each end, the overview, five phases, the whole, a table and a layout', () => {
    expect(files.size).toBe(2 * 9);
  });

  it.each([...files])('has made %s as it is', async (path, text) => {
    const file = new URL(path, top);
    if (process.env.UPDATE_DOCS === '1') await writeFile(file, text);
    // Not by toBe, whose report of a difference would be longer than the file.
    const stored = await readFile(file, 'utf8').catch(() => '');
    expect(stored === text, `${path} is not what the code draws: run npm run charts`).toBe(true);
  });
});
