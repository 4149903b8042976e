/** `@sansmtp/conformance`: judges any SMTP server by the RFCs. */
import { serverGroups } from './cases/index.js';
import { paths } from './paths/paths.js';
import { type DescribeOptions, describeGroups } from './running/describe-server.js';

export { serverGroups } from './cases/index.js';
export { CLIENT_GROUPS as clientGroups } from './clients/cases/index.js';
export type { ClientCase, ClientCaseGroup } from './clients/client-case.js';
export { type ClientCommands, clientOfCommands } from './clients/client-command.js';
export type { ClientReport, ClientVerdict, RunResult, Setup, SmtpClient, Task } from './clients/contract.js';
export { type DescribeClientOptions, describeSmtpClient } from './clients/describe-client.js';
export {
  type ClientGenerationOptions,
  type GeneratedForClient,
  generateForClient,
} from './clients/generated/generate.js';
export { CLIENT_CASES as clientCases, type JudgeClientOptions, judgeClient } from './clients/judge-client.js';
export type { CaseGroup, CaseGroupText, ConformanceCase, Level, Need } from './contract/case.js';
export type { Demand, Outcome, Verdict } from './contract/outcome.js';
export type { Survey } from './contract/survey.js';
export type { Credentials, StoredTestMessage, Target } from './contract/target.js';
export { type GeneratedVerdict, type GenerationOptions, generate } from './generated/generation.js';
export { paths } from './paths/paths.js';
export { type HtmlOptions, htmlReport } from './reports/html.js';
export { type JunitOptions, junitXml } from './reports/junit.js';
export { type Judgement, judgementOf, readKnownDeviations } from './reports/known-deviations.js';
export { findingLine, jsonLine } from './reports/lines.js';
export { pageOf } from './reports/pages.js';
export type { DescribeOptions, TestRunner } from './running/describe-server.js';
export { type Examination, examine } from './running/examination.js';
export { createIdleClock, type IdleClock } from './running/idle-clock.js';
export { type JudgeOptions, judgeAll } from './running/judge-all.js';
export { isSelected, selectsNothing } from './running/selection.js';
export type { ServerToTest } from './running/server-to-test.js';
export { UnreachableError } from './running/survey.js';

/**
 * Makes each case, and each path of the chart, a test of vitest, jest or node:test. Skipped cases are skipped tests.
 * @throws {TypeError} there is no runner: import `describe` and `it`, and pass them; or a name is that of no case
 */
export function describeSmtpServer(options: DescribeOptions): void {
  describeGroups([...serverGroups, paths], options);
}
