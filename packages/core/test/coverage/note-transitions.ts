/**
 * In a worker: notes which transitions of the charts its sessions take. `watch-charts.ts` puts the calls of it behind the
 * two tables. A transition that is taken for the first time in this file of tests is written down at once: a worker may be
 * ended at any time.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { ChartEvent } from '../../src/chart/machine/machine-shape.js';
import type { CompiledChart } from '../../src/chart/table/compile.js';

/** Properties step millions of times: after so many steps by an event in a state, only some are looked at. */
const OFTEN = 500;
const SOME = 16;

/** These run the tables for their own sake, with no session. */
const WITHOUT_SESSION = /core\/src\/(?:server|client)\/chart\.test\.ts$/;

/**
 * Within a property, whose runs differ from one time to the next. What only these take may not be taken the next time, so it
 * is noted as met and not as taken.
 */
let isWithinProperty = false;
fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  beforeEach: () => {
    isWithinProperty = true;
  },
  afterEach: () => {
    isWithinProperty = false;
  },
});

type Table = CompiledChart<unknown, ChartEvent, never>;

export function noteTransitions(end: 'client' | 'server', table: unknown): void {
  const folder = process.env.SANSMTP_TRANSITIONS;
  if (folder === undefined) return;
  const file = join(folder, String(process.pid));
  const watched = table as { run: Table['run']; explain: Table['explain'] };
  const [run, explain] = [watched.run.bind(table), watched.explain.bind(table)];
  const noted = new Set<string>();
  const asked = new Map<string, Map<string, number>>();
  let asking: string | undefined;
  const note = (id: string | undefined): void => {
    if (id === undefined) return;
    const line = `${isWithinProperty ? 'met' : 'taken'} ${end} ${id}\n`;
    if (noted.has(line) || WITHOUT_SESSION.test(expect.getState().testPath ?? '')) return;
    noted.add(line);
    appendFileSync(file, line);
  };
  /** Whether a step by this event in this state is one of those that are looked at. */
  const isLookedAt = (value: string, type: string): boolean => {
    // Several files of tests share a process: each is looked at anew.
    const { testPath } = expect.getState();
    const now = `${isWithinProperty} ${testPath}`;
    if (now !== asking) asked.clear();
    asking = now;
    const ofState = asked.get(value) ?? new Map<string, number>();
    asked.set(value, ofState);
    const times = ofState.get(type) ?? 0;
    ofState.set(type, times + 1);
    return times < OFTEN || times % SOME === 0;
  };
  watched.run = (state) => {
    const runner = run(state);
    const step = runner.step.bind(runner);
    return Object.assign(runner, {
      step: (event: ChartEvent) => {
        const before = isLookedAt(runner.value, event.type) ? runner.position() : undefined;
        const effects = step(event);
        if (effects !== undefined && before !== undefined) note(explain(before, event)?.transition);
        return effects;
      },
    });
  };
}
