/** What finds a planted fault: which cases, and how many generated dialogues it takes. */
import { serverGroups } from '../cases/index.js';
import type { ConformanceCase } from '../contract/case.js';
import { type GeneratedVerdict, generate } from '../generated/generation.js';
import type { ServerFault } from '../planted/server/faults.js';
import { CONFIGURATION, plantedFacts, plantedServer } from '../planted/server/planted-target.js';
import { type Examination, examine } from '../running/examination.js';
import { UnreachableError } from '../running/survey.js';

/** Dialogues after which generation gives up. */
export const MOST_RUNS = 600;

/** A server that does not come through the survey is found before the first case. */
export const SURVEY = 'the survey';

export interface GenerationPower {
  readonly seed: number;
  /** Dialogues until the fault was found; undefined: it was not. */
  readonly runs: number | undefined;
  readonly path: string | undefined;
  readonly milliseconds: number;
}

/** The server with a fault, surveyed; undefined: it does not come through the survey. */
export async function examinePlanted(fault: ServerFault): Promise<Examination | undefined> {
  try {
    return await examine(plantedServer(fault));
  } catch (error) {
    if (error instanceof UnreachableError) return undefined;
    throw error;
  }
}

/** All that the server passes without a fault. */
export const allCases: readonly ConformanceCase[] = serverGroups
  .flatMap(({ cases }) => cases)
  .filter(({ id }) => id !== CONFIGURATION);

/** Whether a case deviates. */
export async function finds(examination: Examination, each: ConformanceCase): Promise<boolean> {
  return (await examination.judge(each)).outcome.result === 'failed';
}

/** Ids of the cases that find a fault, the first so many of them. */
export async function casesThatFind(
  examination: Examination | undefined,
  most: number,
): Promise<readonly string[]> {
  if (examination === undefined) return [SURVEY];
  const ids: string[] = [];
  for (const each of allCases) {
    if (ids.length < most && (await finds(examination, each))) ids.push(each.id);
  }
  return ids;
}

/** Generates until the fault is found. */
export async function generationThatFinds(
  examination: Examination | undefined,
  fault: ServerFault,
  { seed, path, runs = MOST_RUNS }: { readonly seed: number; readonly path?: string; readonly runs?: number },
): Promise<GenerationPower> {
  if (examination === undefined) return { seed, runs: 0, path: undefined, milliseconds: 0 };
  const { protocol } = plantedServer(fault);
  const verdict: GeneratedVerdict = await generate(examination, {
    anything: true,
    facts: plantedFacts(protocol),
    seed,
    runs,
    shrinks: false,
    ...(path !== undefined && { path }),
  });
  const found = verdict.outcome.result === 'failed';
  return {
    seed,
    runs: found ? verdict.runs : undefined,
    path: verdict.path,
    milliseconds: verdict.milliseconds,
  };
}
