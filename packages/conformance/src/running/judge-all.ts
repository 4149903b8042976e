/** All cases of an examination: a bounded number at a time, group after group, told in their order. */
import type { CaseGroup, ConformanceCase } from '../contract/case.js';
import type { Verdict } from '../contract/outcome.js';
import type { Examination } from './examination.js';
import { isSelected } from './selection.js';

export interface JudgeOptions {
  /** Ids to judge: a group, an id, or words with `*`; several are separated by commas. @default all */
  readonly only?: string | undefined;
  /**
   * Cases at a time. Most have one connection each.
   * @default 8
   */
  readonly atOnce?: number;
}

/** A case that throws what is no finding is mistaken; the others are judged all the same. */
async function judgeSafely(examination: Examination, each: ConformanceCase): Promise<Verdict> {
  try {
    return await examination.judge(each);
  } catch (error) {
    const { id, section, level, rationale } = each;
    const reason = `a mistake of this kit: ${error instanceof Error ? error.message : String(error)}`;
    return {
      id,
      section,
      level,
      rationale,
      outcome: { result: 'skipped', reason },
      dialogue: [],
      milliseconds: 0,
    };
  }
}

export async function* judgeAll(
  examination: Examination,
  groups: readonly CaseGroup[],
  { only, atOnce = 8 }: JudgeOptions = {},
): AsyncGenerator<Verdict, void> {
  for (const { cases } of groups) {
    const selected = cases.filter(({ id }) => isSelected(id, only));
    const begun: Promise<Verdict>[] = [];
    for (const [index] of selected.entries()) {
      for (const each of selected.slice(begun.length, index + atOnce))
        begun.push(judgeSafely(examination, each));
      const verdict = await begun[index];
      if (verdict !== undefined) yield verdict;
    }
  }
}
