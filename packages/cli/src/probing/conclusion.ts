/** What comes after the last case: the counts, the reports, the exit code. */
import { open, readFile, writeFile } from 'node:fs/promises';
import {
  type CaseGroupText,
  htmlReport,
  judgementOf,
  junitXml,
  readKnownDeviations,
  selectsNothing,
  type Verdict,
} from '@sansmtp/conformance';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { oneLine, type Terminal } from '../terminal.js';

export interface ReportOptions {
  readonly only?: string;
  readonly json?: true;
  readonly junit?: string;
  readonly report?: string;
  readonly expect?: string;
  readonly list?: true;
}

/** What is misspelt would be passed over without a word. */
export function checkOnly(command: Command, only: string | undefined, ids: readonly string[]): void {
  const [wrong] = only === undefined ? [] : selectsNothing(only, ids);
  if (wrong !== undefined)
    fail(command, exitCodes.usage, `--only ${wrong || "''"} selects no case; --list shows them all`);
}

export async function knownDeviations(
  command: Command,
  file: string | undefined,
): Promise<ReadonlySet<string>> {
  if (file === undefined) return new Set();
  try {
    return readKnownDeviations(await readFile(file, 'utf8'));
  } catch (error) {
    return fail(command, exitCodes.usage, `cannot read --expect ${file}`, error);
  }
}

/** Says before the first case, and not after minutes, that a report cannot be written. */
export async function checkReports(command: Command, { junit, report }: ReportOptions): Promise<void> {
  for (const file of [junit, report]) {
    if (file === undefined) continue;
    try {
      await (await open(file, 'a')).close();
    } catch (error) {
      fail(command, exitCodes.cannotCreate, `cannot write ${file}`, error);
    }
  }
}

async function writeReport(command: Command, file: string | undefined, content: () => string): Promise<void> {
  if (file === undefined) return;
  try {
    await writeFile(file, content());
  } catch (error) {
    fail(command, exitCodes.cannotCreate, `cannot write ${file}`, error);
  }
}

interface Judged {
  /** Who was judged. */
  readonly target: string;
  readonly groups: readonly CaseGroupText[];
  readonly known: ReadonlySet<string>;
  readonly options: ReportOptions;
}

/** What the generated dialogues are called among the cases. */
export const GENERATED = 'generated/model';

function unknownAmong(known: ReadonlySet<string>, groups: readonly CaseGroupText[]): readonly string[] {
  const ids = new Set([...groups.flatMap(({ cases }) => cases.map(({ id }) => id)), GENERATED]);
  return [...known].filter((id) => !ids.has(id));
}

/** Why cases were skipped, the reason of most first. */
function skipReasons(verdicts: readonly Verdict[]): readonly (readonly [reason: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { outcome } of verdicts) {
    if (outcome.result === 'skipped') counts.set(outcome.reason, (counts.get(outcome.reason) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one);
}

export async function conclude(
  command: Command,
  terminal: Terminal,
  verdicts: readonly Verdict[],
  { target, groups, known, options: { json, junit, report, expect } }: Judged,
): Promise<void> {
  const { stdout, stderr } = terminal;
  const { passed, failed, skipped, serious, healed } = judgementOf(verdicts, known);
  if (!json) stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  for (const id of healed) stderr.write(`healed: ${id} passes now; take it out of ${expect}\n`);
  for (const id of unknownAmong(known, groups)) {
    stderr.write(`unknown: ${id}, in ${expect}, is the id of no case; --list shows them all\n`);
  }
  if (!json && passed + failed > 0) {
    for (const [reason, count] of skipReasons(verdicts))
      stderr.write(`skipped ${count}: ${oneLine(reason)}\n`);
  }
  const date = new Date().toISOString().replace('T', ' ').replace(/\..*/, ' UTC');
  await writeReport(command, junit, () => junitXml(verdicts, { target, known }));
  await writeReport(command, report, () => htmlReport(verdicts, { target, groups, date, known }));
  if (passed + failed === 0) {
    const [reason] = verdicts.map(({ outcome }) => (outcome.result === 'skipped' ? outcome.reason : ''));
    fail(command, exitCodes.deferred, `no case could be judged${reason === undefined ? '' : `: ${reason}`}`);
  }
  if (serious.length > 0) terminal.exitCode = exitCodes.deviates;
}
