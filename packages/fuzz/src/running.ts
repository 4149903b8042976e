/** Runs a story on a session of its own. */
import type { Story } from './story.js';
import { targetOf, waysOf } from './ways.js';

export interface Outcome {
  /** What the session did that it never may, or threw; undefined: all is well. */
  readonly fault: string | undefined;
  readonly seen: ReadonlySet<string>;
}

/** @throws {RangeError} there is no such mode, or no way into the state in it */
export function run({ end, mode, state, host, moves }: Story): Outcome {
  const way = waysOf(end, mode).get(state);
  if (way === undefined) throw new RangeError(`In mode ${mode} no way leads to ${state}`);
  const target = targetOf(end, mode, host, way);
  try {
    for (const move of moves) target.take(move);
  } catch (error) {
    return { fault: `It threw ${error instanceof Error ? error.stack : error}`, seen: target.seen };
  }
  return { fault: target.fault, seen: target.seen };
}
