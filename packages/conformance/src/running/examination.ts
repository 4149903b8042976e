/** An examination of one server: surveyed once, then a case at a time or all of them. */
import type { ConformanceCase } from '../contract/case.js';
import type { Outcome, Verdict } from '../contract/outcome.js';
import type { Survey } from '../contract/survey.js';
import type { Target } from '../contract/target.js';
import { CannotJudge, Deviation } from '../dialogue/findings.js';
import { createPace } from '../dialogue/pace.js';
import { connectionsTo } from './connections.js';
import { unmetNeed } from './needs.js';
import { type ServerToTest, withDefaults } from './server-to-test.js';
import { surveyServer } from './survey.js';
import { createTarget } from './target.js';
import { turns } from './turns.js';

export interface Examination {
  readonly survey: Survey;
  /** Judges a case. What is neither a deviation nor a skip rejects: the case is mistaken. */
  judge(each: ConformanceCase): Promise<Verdict>;
  /**
   * Lends a target for what is no fixed case, and ends its connections afterwards.
   * @returns what `use` resolves with, and what was said
   */
  lend<Result>(
    use: (target: Target) => Promise<Result>,
  ): Promise<{ result: Result; dialogue: readonly string[] }>;
}

/**
 * Surveys the server.
 * @throws {UnreachableError} (rejects) it cannot be reached, or does not greet
 */
export async function examine(given: ServerToTest): Promise<Examination> {
  const server = withDefaults(given);
  const { clock } = server;
  const turnToConnect = turns(clock, 1000 / server.connectionsPerSecond);
  const turnToFailLogin = turns(clock, server.betweenWrongLogins);
  const pace = createPace(server.quietTime, server.replyTime / 2);
  const times = {
    reply: server.replyTime,
    get quiet() {
      return pace.quiet;
    },
    replied: pace.replied,
  };
  const connections = () => connectionsTo(server, times, turnToConnect);
  const survey = await surveyServer(server, connections);

  return {
    survey,
    async judge(each) {
      const { id, section, level, rationale, remedy, run } = each;
      const demand = { id, section, level, rationale, ...(remedy !== undefined && { remedy }) };
      const reason = unmetNeed(each, server, survey);
      if (reason !== undefined) {
        return { ...demand, outcome: { result: 'skipped', reason }, dialogue: [], milliseconds: 0 };
      }
      const own = connections();
      const begin = clock.now();
      try {
        const outcome = await outcomeOf(run(createTarget(server, survey, own, turnToFailLogin)));
        const dialogue = own.transcript;
        return { ...demand, outcome, dialogue, milliseconds: clock.now() - begin };
      } finally {
        await own.finish();
      }
    },
    async lend(use) {
      const own = connections();
      try {
        const result = await use(createTarget(server, survey, own, turnToFailLogin));
        return { result, dialogue: own.transcript };
      } finally {
        await own.finish();
      }
    },
  };
}

async function outcomeOf(run: Promise<void>): Promise<Outcome> {
  try {
    await run;
    return { result: 'passed' };
  } catch (error) {
    if (error instanceof Deviation) return { result: 'failed', seen: error.message };
    if (error instanceof CannotJudge) return { result: 'skipped', reason: error.message };
    throw error;
  }
}
