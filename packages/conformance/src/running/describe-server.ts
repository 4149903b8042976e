/** The cases as tests of vitest, jest or node:test: each case a test of its own. */
import type { CaseGroup, ConformanceCase } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import { type Examination, examine } from './examination.js';
import { checkSelection, isSelected } from './selection.js';
import type { ServerToTest } from './server-to-test.js';

/** What a test is called with by vitest and node:test; by jest with nothing. */
interface TestContext {
  skip?(reason?: string): unknown;
}

/** The functions of a test runner. */
export interface TestRunner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: (context?: TestContext) => Promise<void>) => unknown;
}

export interface DescribeOptions extends ServerToTest {
  /** @default the `describe` and `it` of the globals */
  readonly runner?: TestRunner;
  /** Ids to judge, as `sansmtp probe --only` takes them. @default all */
  readonly only?: string;
  /** Ids of deviations that are known; they fail no test. @default none */
  readonly knownDeviations?: readonly string[];
}

/** The runner's own functions, where the file imports none. */
export function testRunner(): TestRunner {
  const { describe, it } = globalThis as Partial<TestRunner>;
  if (describe === undefined || it === undefined) {
    throw new TypeError(
      'There is no describe() and it() among the globals: import them, and pass them as runner',
    );
  }
  return { describe, it };
}

/** A failed test for a deviation, a skipped one for what could not be judged. */
export function reportToRunner(verdict: Verdict, context: TestContext | undefined): void {
  const { id, section, level, rationale, outcome, dialogue } = verdict;
  if (outcome.result === 'skipped') context?.skip?.(outcome.reason);
  if (outcome.result !== 'failed') return;
  const error = new Error(
    [`${id} (${level}, ${section}): ${outcome.seen}`, rationale, ...dialogue].join('\n'),
  );
  error.stack = error.message; // where the kit noticed it helps nobody
  throw error;
}

export function describeGroups(groups: readonly CaseGroup[], options: DescribeOptions): void {
  const { runner = testRunner(), only, knownDeviations = [], ...server } = options;
  checkSelection(
    groups.flatMap(({ cases }) => cases.map(({ id }) => id)),
    options,
  );
  let examination: Promise<Examination> | undefined;
  const judge = async (each: ConformanceCase): Promise<Verdict> => {
    examination ??= examine(server);
    return (await examination).judge(each);
  };
  for (const { title, cases } of groups) {
    const selected = cases.filter(({ id }) => isSelected(id, only));
    if (selected.length === 0) continue;
    runner.describe(title, () => {
      for (const each of selected) {
        runner.it(`${each.id}: ${each.rationale}`, async (context) => {
          const verdict = await judge(each);
          if (verdict.outcome.result === 'failed' && knownDeviations.includes(each.id)) return;
          reportToRunner(verdict, context);
        });
      }
    });
  }
}
