/** Each fault of the small client is found: by the case that found it when the table was written, or else by another one. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import { caseThatFinds, forEachFault, readFinders } from './measuring.js';
import { BEGIN, END } from './table.js';

describe('the faults of the small client', () => {
  it('are found by the cases, 95 in 100', async () => {
    const finders = readFinders();
    const missed: FaultId[] = [];
    await forEachFault(async (fault) => {
      if ((await caseThatFinds(fault, finders[fault])) === undefined) missed.push(fault);
    });
    expect(missed.length, `not found: ${missed}`).toBeLessThanOrEqual(CLIENT_FAULTS.length * 0.05);
  }, 300_000);

  it('stand in docs/testing.md, each in a row', () => {
    const document = readFileSync(new URL('../../../../../docs/testing.md', import.meta.url), 'utf8');
    const table = document.slice(document.indexOf(BEGIN), document.indexOf(END));
    expect(table.split('\n').filter((line) => line.includes('| RFC '))).toHaveLength(CLIENT_FAULTS.length);
  });
});
