/**
 * In a worker: notes which transitions of the charts its sessions take. `watch-charts.ts` puts the calls of it behind the
 * two tables. A transition that is taken for the first time in this file of tests is written down at once: a worker may be
 * ended at any time.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ChartState, CompiledChart } from '../../src/chart/compile.js';
import type { ChartEvent } from '../../src/chart/machine-shape.js';

/** Properties step millions of times: after so many steps by an event in a state, only some are looked at. */
const OFTEN = 500;
const SOME = 16;

/** These step through the tables for their own sake, with no session. */
const WITHOUT_SESSION = /core\/src\/(?:server|client)\/chart\.test\.ts$/;

/** The client tries these on the table, to learn whether they are allowed: they count once it has gone on from there. */
const TRIED = new Set([
  'send',
  'inquire',
  'quit',
  'tlsEstablished',
  'tlsFailed',
  'endOfMailData',
  'computed',
]);

type Table = CompiledChart<unknown, ChartEvent, never>;

export function noteTransitions(end: 'client' | 'server', table: unknown): void {
  const folder = process.env.SANSMTP_TRANSITIONS;
  if (folder === undefined) return;
  const file = join(folder, String(process.pid));
  const watched = table as { step: Table['step']; explain: Table['explain'] };
  const { step, explain } = watched;
  const noted = new Set<string>();
  const asked = new Map<string, Map<string, number>>();
  const unsure = new WeakMap<ChartState<unknown>, string>();
  const note = (id: string | undefined): void => {
    if (id === undefined || noted.has(id) || WITHOUT_SESSION.test(expect.getState().testPath ?? '')) return;
    noted.add(id);
    appendFileSync(file, `${end} ${id}\n`);
  };
  watched.step = (state, event, effects) => {
    note(unsure.get(state));
    const next = step(state, event, effects);
    if (next === undefined) return next;
    const ofState = asked.get(state.value) ?? new Map<string, number>();
    asked.set(state.value, ofState);
    const times = ofState.get(event.type) ?? 0;
    ofState.set(event.type, times + 1);
    if (times >= OFTEN && times % SOME > 0) return next;
    const id = explain(state, event)?.transition;
    if (id !== undefined && end === 'client' && TRIED.has(event.type)) unsure.set(next, id);
    else note(id);
    return next;
  };
}
