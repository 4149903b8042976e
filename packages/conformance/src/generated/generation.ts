/** Judges a server by dialogues that nobody wrote: generated, compared with the model, shrunk to a few lines. */
import { encodeText } from '@sansmtp/core';
import { forwardPath, reversePath } from '@sansmtp/testing/arbitraries';
import type { ServerFacts } from '@sansmtp/testing/model';
import * as fc from 'fast-check';
import { testMessage } from '../contract/message.js';
import type { Verdict } from '../contract/outcome.js';
import type { Target } from '../contract/target.js';
import { CannotJudge, Deviation } from '../dialogue/findings.js';
import type { Examination } from '../running/examination.js';
import { type GeneratedDialogue, generatedDialogue } from './dialogues.js';
import { ModelDeviation, play } from './player.js';
import { shrink } from './shrinking.js';
import type { Surroundings } from './stretches/index.js';

export interface GenerationOptions {
  /**
   * Dialogues at most.
   * @default 50
   */
  readonly runs?: number;
  /** Generates the same dialogues again. @default any */
  readonly seed?: number;
  /** Leads to one dialogue of a seed. */
  readonly path?: string;
  /**
   * Addresses and messages may be anything: for a server that keeps to itself what it takes. Else all mail is from and to the
   * addresses of the target, and says that it is a test.
   * @default false
   */
  readonly anything?: boolean;
  /**
   * A dialogue that fails is made as short as it can be, by up to 150 sessions more.
   * @default true
   */
  readonly shrinks?: boolean;
  /**
   * What is known of the server.
   * @default its protocol, and the name and password that were given
   */
  readonly facts?: ServerFacts;
}

/** Beside a verdict, how to come to it again. */
export interface GeneratedVerdict extends Verdict {
  readonly runs: number;
  readonly seed: number;
  /** Of the dialogue that failed, before it was shrunk. */
  readonly path: string | undefined;
}

/** Resolves with what came of all dialogues: passed, or the first deviation, shrunk; skipped, if none could be judged. */
export async function generate(
  examination: Examination,
  options: GenerationOptions = {},
): Promise<GeneratedVerdict> {
  const { runs = 50, seed, path, anything = false, shrinks = true } = options;
  let kept: { around: Surroundings; facts: ServerFacts } | undefined;
  await examination.lend(async (target) => {
    kept = { around: surroundingsOf(target, anything), facts: { ...factsOf(target), ...options.facts } };
  });
  const { around, facts } = kept ?? fail();

  let judged = 0;
  let unjudged = 'no dialogue was generated';
  const outcomeOf = async (dialogue: GeneratedDialogue) => {
    const { result, dialogue: transcript } = await examination.lend(async (target) => {
      try {
        await play(target, dialogue, facts);
        judged++;
        return undefined;
      } catch (error) {
        if (error instanceof Deviation) return error;
        if (!(error instanceof CannotJudge)) throw error;
        unjudged = error.message;
        return undefined;
      }
    });
    return { deviation: result, transcript };
  };

  const begin = performance.now();
  let mistake: unknown;
  const holds = async (dialogue: GeneratedDialogue): Promise<boolean> => {
    try {
      return (await outcomeOf(dialogue)).deviation === undefined;
    } catch (error) {
      mistake = error;
      return false;
    }
  };
  const details = await fc.check(fc.asyncProperty(generatedDialogue(around, { anything }), holds), {
    numRuns: runs,
    endOnFailure: true,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  });
  if (mistake !== undefined) throw mistake;
  const found = { runs: details.numRuns, seed: details.seed, path: details.counterexamplePath ?? undefined };
  const demand = {
    id: 'generated/model',
    section: 'RFC 5321 §4.1.4',
    level: 'MUST',
    rationale: 'Each reply is one that the RFCs allow where the session stands.',
  } as const;
  const milliseconds = performance.now() - begin;
  const [counterexample] = details.counterexample ?? [];
  if (counterexample === undefined) {
    const outcome =
      judged > 0
        ? ({ result: 'passed' } as const)
        : ({ result: 'skipped', reason: `no dialogue could be judged: ${unjudged}` } as const);
    return { ...demand, ...found, outcome, dialogue: [], milliseconds };
  }
  const fails = async (each: GeneratedDialogue) => (await outcomeOf(each)).deviation !== undefined;
  const shrunk = shrinks ? await shrink(counterexample, fails) : counterexample;
  const { deviation, transcript } = await outcomeOf(shrunk);
  const seen = `${deviation?.message ?? 'it did not do so again'} (seed ${found.seed}, path ${found.path})`;
  const section = deviation instanceof ModelDeviation ? deviation.clause : demand.section;
  return {
    ...demand,
    ...found,
    section,
    outcome: { result: 'failed', seen },
    dialogue: transcript,
    milliseconds,
  };
}

const fail = (): never => {
  throw new Error('The examination lent no target');
};

export function factsOf({ protocol, credentials, to }: Target): ServerFacts {
  return {
    protocol,
    takes: (recipient) => (recipient === to ? true : undefined),
    ...(credentials && { users: { [credentials.user]: credentials.password } }),
  };
}

function surroundingsOf(target: Target, anything: boolean): Surroundings {
  const { from, to, survey, protocol, credentials } = target;
  const offers = new Map([...(survey.offersUnderTls ?? []), ...survey.offers]);
  const known = fc.constant(`<${to}>`);
  return {
    protocol,
    offers,
    credentials,
    recipient: `<${to}>`,
    senders: anything ? reversePath() : fc.constantFrom(`<${from}>`, '<>'),
    recipients: anything ? fc.oneof(known, forwardPath()) : known,
    others: anything ? fc.constantFrom('<nobody@planted.test>', '<full@planted.test>') : known,
    preface: anything ? new Uint8Array() : encodeText(testMessage({ from, to })),
  };
}
