/** The paths take every transition of the server's chart that they can, and find nothing in our own server. */
import { describe, expect, it } from 'vitest';
import { examine } from '../running/examination.js';
import { judgeAll } from '../running/judge-all.js';
import { takeEndings } from './endings.test-support.js';
import { pathGroupOf } from './paths.js';
import { SET_UPS, watchedServer } from './set-ups.test-support.js';
import { chartTransitions } from './skeleton.js';
import { idleReasons, reasonFor } from './unreachable.test-support.js';

describe('the paths of the chart, at our own server in memory', () => {
  const taken = new Set<string>();

  it.each(Object.entries(SET_UPS))(
    'find no reply that is against the model: %s',
    async (_, setUp) => {
      const { cases, ...group } = pathGroupOf(setUp.paths);
      const selected = cases.filter(({ id }) => setUp.only?.test(id) ?? true);
      const examination = await examine(watchedServer(taken, setUp));
      const found: unknown[] = [];
      let walked = 0;
      for await (const { id, outcome, dialogue } of judgeAll(examination, [{ ...group, cases: selected }])) {
        if (outcome.result === 'failed' || /mistake of this kit/.test(JSON.stringify(outcome)))
          found.push({ id, outcome, dialogue });
        // Some of these applications end sessions by 421: such a path is walked, and is skipped for it.
        if (outcome.result === 'passed' || /announced a limit/.test(JSON.stringify(outcome))) walked++;
      }
      expect(found).toEqual([]);
      expect(walked).toBeGreaterThan(0);
    },
    60_000,
  );

  it('end by silence, a lost connection, a shutdown and a refusal at the door as well', async () => {
    await takeEndings(taken);
  }, 60_000);

  it('take every transition, but for those with a reason', () => {
    const left = chartTransitions().filter(({ id }) => !taken.has(id));
    expect(
      left.filter(({ id }) => reasonFor(id) === undefined).map(({ id, guard }) => `${id} ${guard}`),
    ).toEqual([]);
    expect(idleReasons(left.map(({ id }) => id)), 'reasons for nothing').toEqual([]);
  });
});
