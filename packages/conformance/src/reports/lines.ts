/** Verdicts for a terminal and for scripts, a line each. */
import type { Verdict } from '../contract/outcome.js';

/** `ID LEVEL SECTION what was seen` */
export function findingLine({ id, level, section, outcome }: Verdict, isKnown = false): string {
  const seen =
    outcome.result === 'failed' ? outcome.seen : outcome.result === 'skipped' ? outcome.reason : '';
  return `${id} ${level} ${section} ${seen}${isKnown ? ' (known)' : ''}`;
}

/** A line of NDJSON: `{"id","level","section","result","seen","dialogue"}`; `seen` is the reason of what is skipped. */
export function jsonLine({ id, level, section, outcome, dialogue }: Verdict): string {
  const seen =
    outcome.result === 'failed' ? outcome.seen : outcome.result === 'skipped' ? outcome.reason : '';
  return JSON.stringify({ id, level, section, result: outcome.result, seen, dialogue });
}
