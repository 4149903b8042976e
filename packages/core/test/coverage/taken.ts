/** What the workers of a run left in their folder, and what of the charts is not in it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StateDescription } from '../../src/chart.js';
import { describeChart } from '../../src/charts.js';

export type End = 'client' | 'server';

export interface Coverage {
  /** By a session of a test that does the same each time. */
  readonly taken: readonly string[];
  readonly untaken: readonly string[];
  /** Of the untaken, those that the random runs of a property came upon this time. */
  readonly met: readonly string[];
}

/** Makes the folder for the workers. The function that it gives reads what they left, and removes it. */
export function openFolder(): () => Readonly<Record<End, Coverage>> {
  const folder = mkdtempSync(join(tmpdir(), 'sansmtp-transitions-'));
  process.env.SANSMTP_TRANSITIONS = folder;
  return () => {
    const lines = new Set(
      readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n')),
    );
    rmSync(folder, { recursive: true });
    const coverageOf = (end: End): Coverage => {
      const ids = idsOf(describeChart(end).root).sort();
      const isTaken = (id: string) => lines.has(`taken ${end} ${id}`);
      const untaken = ids.filter((id) => !isTaken(id));
      return {
        taken: ids.filter(isTaken),
        untaken,
        met: untaken.filter((id) => lines.has(`met ${end} ${id}`)),
      };
    };
    return { client: coverageOf('client'), server: coverageOf('server') };
  };
}

function idsOf({ transitions, states }: StateDescription): string[] {
  return [...transitions.map(({ id }) => id), ...states.flatMap(idsOf)];
}
