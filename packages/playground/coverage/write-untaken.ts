/** After all tests: writes the transitions that none of them took, which are few. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeChart, type StateDescription } from '@sansmtp/core';

type End = 'client' | 'server';

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sansmtp-transitions-'));
  process.env.SANSMTP_TRANSITIONS = folder;
  return () => {
    const taken: Record<End, Set<string>> = { client: new Set(), server: new Set() };
    for (const file of readdirSync(folder)) {
      const found = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<End, string[]>;
      for (const end of ['client', 'server'] as const) for (const id of found[end]) taken[end].add(id);
    }
    rmSync(folder, { recursive: true });
    const untaken = (end: End): string[] =>
      idsOf(describeChart(end).root)
        .filter((id) => !taken[end].has(id))
        .sort();
    const file = join(import.meta.dirname, '../src/coverage/untaken.json');
    writeFileSync(
      file,
      `${JSON.stringify({ client: untaken('client'), server: untaken('server') }, null, 2)}\n`,
    );
  };
}

function idsOf({ transitions, states }: StateDescription): string[] {
  return [...transitions.map(({ id }) => id), ...states.flatMap(idsOf)];
}
