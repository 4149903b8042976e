/** The cases for clients as tests of vitest, jest or node:test: each case a test of its own. */
import { reportToRunner, type TestRunner, testRunner } from '../running/describe-server.js';
import { checkSelection, isSelected } from '../running/selection.js';
import { CLIENT_GROUPS } from './cases/index.js';
import type { SmtpClient } from './contract.js';
import { judgeCase } from './judge-client.js';

export interface DescribeClientOptions extends SmtpClient {
  /** @default the `describe` and `it` of the globals */
  readonly runner?: TestRunner;
  /** Ids to judge, as `sansmtp probe --only` takes them. @default all */
  readonly only?: string;
  /** Ids of deviations that are known; they fail no test. @default none */
  readonly knownDeviations?: readonly string[];
}

/**
 * Makes each case for clients a test. Skipped cases are skipped tests.
 * @throws {TypeError} there is no runner: import `describe` and `it`, and pass them; or a name is that of no case
 */
export function describeSmtpClient(options: DescribeClientOptions): void {
  const { runner = testRunner(), only, knownDeviations = [], ...client } = options;
  checkSelection(
    CLIENT_GROUPS.flatMap(({ cases }) => cases.map(({ id }) => id)),
    options,
  );
  for (const { title, cases, remedy } of CLIENT_GROUPS) {
    const selected = cases.filter(({ id }) => isSelected(id, only));
    if (selected.length === 0) continue;
    runner.describe(title, () => {
      for (const each of selected) {
        runner.it(`${each.id}: ${each.rationale}`, async (context) => {
          const verdict = await judgeCase(client, { remedy, ...each });
          if (verdict.outcome.result === 'failed' && knownDeviations.includes(each.id)) return;
          reportToRunner(verdict, context);
        });
      }
    });
  }
}
