/** Judges a client by cases: each runs it once against a server of its own. */
import type { Outcome, Verdict } from '../contract/outcome.js';
import { CannotJudge } from '../dialogue/findings.js';
import { CLIENT_GROUPS } from './cases/index.js';
import type { ClientCase } from './client-case.js';
import type { SmtpClient } from './contract.js';
import { dialogueOf } from './conversation.js';
import type { Seen } from './judging.js';
import { observe } from './observe.js';

/** A time-out is waited for if it is no longer. */
const LONGEST_WAIT = 5000;

export interface JudgeClientOptions {
  /** The cases. @default all of them */
  readonly cases?: readonly ClientCase[];
  /** How many run at the same time. @default 4 */
  readonly concurrency?: number;
  /** Milliseconds that the client may take for a case in which the server does not stall. @default 15000 */
  readonly limit?: number;
  /** Stops as soon as a case has failed: to see whether there is anything to find. @default false */
  readonly untilFailure?: boolean;
  /** Is told of each case as soon as it is judged, and how many there are. */
  readonly onVerdict?: (verdict: Verdict, total: number) => void;
}

export const CLIENT_CASES: readonly ClientCase[] = CLIENT_GROUPS.flatMap(({ cases, remedy }) =>
  cases.map((each) => ({ remedy, ...each })),
);

/** Judges by all cases; the verdicts come in the order of the cases. */
export async function judgeClient(
  client: SmtpClient,
  {
    cases = CLIENT_CASES,
    concurrency = 4,
    limit = 15_000,
    untilFailure = false,
    onVerdict = () => {},
  }: JudgeClientOptions = {},
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  let next = 0;
  let isOver = false;
  const work = async () => {
    for (let index = next++; index < cases.length && !isOver; index = next++) {
      const verdict = await judgeCase(client, cases[index] as ClientCase, limit);
      verdicts[index] = verdict;
      isOver ||= untilFailure && verdict.outcome.result === 'failed';
      onVerdict(verdict, cases.length);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return verdicts.filter((verdict) => verdict !== undefined);
}

/** Judges by one case. */
export async function judgeCase(client: SmtpClient, each: ClientCase, patience = 15_000): Promise<Verdict> {
  const { id, section, level, rationale, remedy } = each;
  const demand = { id, section, level, rationale, ...(remedy !== undefined && { remedy }) };
  const begin = performance.now();
  const reason = cannotRun(client, each);
  if (reason !== undefined) {
    return { ...demand, outcome: { result: 'skipped', reason }, dialogue: [], milliseconds: 0 };
  }
  const { script, setup = 'plain', task, stranger } = each;
  const limit = each.stalls ? (client.replyTimeout ?? 0) * 2 + 2000 : patience;
  const seen = await observe(client, { script, setup, task, stranger, limit });
  const outcome = outcomeOf(each, seen);
  return {
    ...demand,
    outcome,
    dialogue: dialogueOf(seen.connections),
    milliseconds: performance.now() - begin,
  };
}

function cannotRun(
  { setups = ['plain'], replyTimeout = 300_000 }: SmtpClient,
  each: ClientCase,
): string | undefined {
  const { setup = 'plain', stalls = false } = each;
  if (!setups.includes(setup)) return `the client was not given a way to ${WAYS[setup]}`;
  if (stalls && replyTimeout > LONGEST_WAIT) {
    return `the client waits ${replyTimeout / 1000} s for a reply; ${LONGEST_WAIT / 1000} s are waited for`;
  }
  return undefined;
}

const WAYS = {
  plain: 'send in the clear',
  startTls: 'insist on STARTTLS',
  implicitTls: 'send under TLS from the beginning',
  login: 'log in under TLS',
  lmtp: 'speak LMTP',
} as const;

function outcomeOf({ judge, stranger = false, setup }: ClientCase, seen: Seen): Outcome {
  // From the first octet on under TLS, an untrusted handshake never becomes a connection: then nothing was said to it either.
  if (seen.connections.length === 0 && !(stranger && setup === 'implicitTls')) {
    const words = seen.report.output.split('\n', 1)[0]?.slice(0, 200);
    return { result: 'skipped', reason: `the client did not connect${words ? `: ${words}` : ''}` };
  }
  try {
    const wrong = judge(seen);
    return wrong === undefined ? { result: 'passed' } : { result: 'failed', seen: wrong };
  } catch (error) {
    if (error instanceof CannotJudge) return { result: 'skipped', reason: error.message };
    throw error;
  }
}
