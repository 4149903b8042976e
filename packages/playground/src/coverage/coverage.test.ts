import { writeFile } from 'node:fs/promises';
import { describeChart } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { unreachable as client } from '../../../core/src/client/chart/unreachable.test-support.js';
import { unreachable as server } from '../../../core/src/server/chart/unreachable.test-support.js';
import { coverageOf } from './coverage.js';
import unreachable from './unreachable.json' with { type: 'json' };

describe("the tests' coverage", () => {
  // UPDATE_DOCS=1 writes it anew.
  it('is what npm test demands: all but what is unreachable, with the reason', async () => {
    const demanded = { client, server };
    const file = new URL('unreachable.json', import.meta.url);
    if (process.env.UPDATE_DOCS === '1') await writeFile(file, `${JSON.stringify(demanded, null, 2)}\n`);
    else expect(unreachable).toEqual(demanded);
  });

  it('counts transitions, and finds no state that is never left', () => {
    const { untaken, taken, all, unreached } = coverageOf(describeChart('server'), 'server');
    expect(untaken.size).toBe(Object.keys(server).length);
    expect(taken).toBe(all - untaken.size);
    expect([...unreached]).toEqual([]);
  });
});
