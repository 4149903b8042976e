/** The tables of docs/performance.md are the figures of results.json. `UPDATE_DOCS=1` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { circumstancesOf, isMet, type Measurement, type Part, readResults } from '../src/results.js';

const file = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
const BEGIN = '<!-- figures -->\n';
const END = '<!-- end of figures -->';

function tableOf([name, part]: [string, Part]): string {
  const head = '| | measured | of a processor | bar | goal |\n|---|---|---|---|---|';
  return `### ${name}\n\n${circumstancesOf(part)}\n\n${head}\n${part.measurements.map(rowOf).join('\n')}\n`;
}

function rowOf(measurement: Measurement): string {
  const { measure, value, unit, processor, bar, goal, limit = 'most' } = measurement;
  const sign = limit === 'most' ? '≤' : '≥';
  const cells = [
    measure,
    `${value} ${unit}${isMet(measurement) ? '' : ', missed'}`,
    processor === undefined ? '' : `${processor} ${unit}`,
    bar === undefined ? '' : `${sign} ${bar}`,
    goal === undefined ? '' : `${sign} ${goal}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

it('shows the figures that were measured last', () => {
  const page = readFileSync(file, 'utf8');
  const [before = '', rest = ''] = page.split(BEGIN);
  const tables = Object.entries(readResults()).map(tableOf).join('\n');
  const expected = `${before}${BEGIN}\n${tables}\n${END}${rest.split(END)[1] ?? ''}`;
  if (process.env.UPDATE_DOCS === '1') writeFileSync(file, expected);
  expect(readFileSync(file, 'utf8')).toBe(expected);
});
