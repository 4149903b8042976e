/** The generated dialogues of a probe: so many, or as many as the time allows. */
import { type Examination, type GeneratedVerdict, generate } from '@sansmtp/conformance';

export interface GeneratedOptions {
  readonly runs: number;
  readonly seconds?: number;
  readonly seed?: number;
}

/** Dialogues between two looks at the time. */
const AT_ONCE = 20;

/**
 * Ends with the first deviation. Each batch has a seed of its own, which a failure names. It is skipped if no batch could be
 * judged.
 */
export async function judgeGenerated(
  examination: Examination,
  { runs, seconds, seed = Math.floor(Math.random() * 2 ** 31) }: GeneratedOptions,
  tell: (done: number) => void = () => {},
): Promise<GeneratedVerdict> {
  const end = performance.now() + (seconds ?? 0) * 1000;
  let done = 0;
  let passed = false;
  for (let batch = 0; ; batch++) {
    const rest = seconds === undefined ? runs - done : AT_ONCE;
    const verdict = await generate(examination, { runs: Math.min(AT_ONCE, rest), seed: seed + batch });
    done += verdict.runs;
    passed ||= verdict.outcome.result === 'passed';
    tell(done);
    const isOver = seconds === undefined ? done >= runs : performance.now() >= end;
    if (verdict.outcome.result === 'failed') return { ...verdict, runs: done };
    if (isOver) return { ...verdict, runs: done, ...(passed && { outcome: { result: 'passed' as const } }) };
  }
}
