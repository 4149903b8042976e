/** What came of a case. */
import type { ConformanceCase } from './case.js';

export type Outcome =
  | { readonly result: 'passed' }
  /** `seen`: what the server did instead. */
  | { readonly result: 'failed'; readonly seen: string }
  /** `reason`: why nothing can be said. */
  | { readonly result: 'skipped'; readonly reason: string };

/** What a finding is about. A generated dialogue has this as well as a fixed case. */
export type Demand = Pick<ConformanceCase, 'id' | 'section' | 'level' | 'rationale' | 'remedy'>;

export interface Verdict extends Demand {
  readonly outcome: Outcome;
  /** What was said, as `C:` and `S:` lines; with several connections, each under a line of its own. */
  readonly dialogue: readonly string[];
  readonly milliseconds: number;
}
