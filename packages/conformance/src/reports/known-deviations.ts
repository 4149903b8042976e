/** Deviations that are known: a file of ids, for who adopts the kit with a server that has some. */

import type { Level } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';

/** Ids, one a line; blank lines and what follows `#` are passed over. */
export function readKnownDeviations(text: string): ReadonlySet<string> {
  const lines = text.split(/\r?\n/).map((line) => (line.split(/(?:^|\s)#/, 1)[0] ?? '').trim());
  return new Set(lines.filter((line) => line !== ''));
}

const SERIOUS: readonly Level[] = ['MUST', 'SECURITY'];

export interface Judgement {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Deviations of level MUST or SECURITY that are not known: the server does not conform. */
  readonly serious: readonly Verdict[];
  /** Known deviations that were judged, and are none any more. */
  readonly healed: readonly string[];
}

export function judgementOf(verdicts: readonly Verdict[], known: ReadonlySet<string> = new Set()): Judgement {
  const of = (result: Verdict['outcome']['result']) =>
    verdicts.filter(({ outcome }) => outcome.result === result);
  const failed = of('failed');
  const passed = of('passed');
  return {
    passed: passed.length,
    failed: failed.length,
    skipped: of('skipped').length,
    serious: failed.filter(({ id, level }) => SERIOUS.includes(level) && !known.has(id)),
    healed: passed.map(({ id }) => id).filter((id) => known.has(id)),
  };
}
