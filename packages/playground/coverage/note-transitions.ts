/** In each worker: wraps the compiled charts, and leaves the ids of the transitions that were taken in a file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { clientTable } from '../../core/src/client/session.js';
import { serverTable } from '../../core/src/server/session.js';

/** Properties step millions of times: so often is asked which transition it was, for each state and event. */
const OFTEN = 500;

/** Of this worker: the charts are wrapped once, for all of its files. */
const memory = globalThis as { sansmtpTransitions?: Record<string, Set<string>> };
const isWrapped = memory.sansmtpTransitions !== undefined;
memory.sansmtpTransitions ??= { client: new Set(), server: new Set() };
const taken = memory.sansmtpTransitions;

for (const [end, table] of Object.entries({ client: clientTable, server: serverTable })) {
  if (isWrapped) break;
  const wrapped = table as { step: (...given: never[]) => unknown; explain: typeof clientTable.explain };
  const { step, explain } = wrapped;
  const asked = new Map<string, number>();
  wrapped.step = (...given) => {
    const next = step(...given);
    const [state, event] = given as unknown as Parameters<typeof explain>;
    const key = `${state.value} ${event.type}`;
    const times = asked.get(key) ?? 0;
    if (next === undefined || times >= OFTEN) return next;
    asked.set(key, times + 1);
    taken[end]?.add(explain(state, event)?.transition ?? '');
    return next;
  };
}

afterAll(() => {
  const folder = process.env.SANSMTP_TRANSITIONS;
  if (folder === undefined) return;
  const found = { client: [...(taken.client ?? [])], server: [...(taken.server ?? [])] };
  writeFileSync(join(folder, `${process.pid}-${Date.now()}-${Math.random()}.json`), JSON.stringify(found));
});
