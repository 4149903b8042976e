/** In each worker: wraps the compiled charts, and leaves the ids of the transitions that were taken in a file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { clientTable } from '../../core/src/client/client-table.js';
import { serverTable } from '../../core/src/server/server-table.js';

/** Properties step millions of times: so often is asked which transition it was, for each state and event. */
const OFTEN = 500;

/** Of this worker: the charts are wrapped once, for all of its files. */
const memory = globalThis as { sansmtpTransitions?: Record<string, Set<string>> };
const isWrapped = memory.sansmtpTransitions !== undefined;
memory.sansmtpTransitions ??= { client: new Set(), server: new Set() };
const taken = memory.sansmtpTransitions;

for (const [end, table] of Object.entries({ client: clientTable, server: serverTable })) {
  if (isWrapped) break;
  const watched = table as { run: typeof clientTable.run; explain: typeof clientTable.explain };
  const [run, explain] = [watched.run.bind(table), watched.explain.bind(table)];
  const asked = new Map<string, number>();
  watched.run = (state) => {
    const runner = run(state);
    const step = runner.step.bind(runner);
    return Object.assign(runner, {
      step: (event: Parameters<typeof explain>[1]) => {
        const before = runner.position();
        const effects = step(event);
        const key = `${before.value} ${event.type}`;
        const times = asked.get(key) ?? 0;
        if (effects === undefined || times >= OFTEN) return effects;
        asked.set(key, times + 1);
        taken[end]?.add(explain(before, event)?.transition ?? '');
        return effects;
      },
    });
  };
}

afterAll(() => {
  const folder = process.env.SANSMTP_TRANSITIONS;
  if (folder === undefined) return;
  const found = { client: [...(taken.client ?? [])], server: [...(taken.server ?? [])] };
  writeFileSync(join(folder, `${process.pid}-${Date.now()}-${Math.random()}.json`), JSON.stringify(found));
});
