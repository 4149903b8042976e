/** What is wrong with a coverage, judged by the reasons that are given for what is not taken. None of it may be. */
import type { Coverage } from './taken.js';

export function flawsOf(
  { taken, untaken, met }: Coverage,
  reasons: Readonly<Record<string, string>>,
): readonly string[] {
  const known = new Set([...taken, ...untaken]);
  return [
    ...untaken
      .filter((id) => reasons[id] === undefined)
      .map((id) =>
        met.includes(id)
          ? `- no test takes ${id}, but a property may: write one that always does`
          : `- no test takes ${id}`,
      ),
    ...Object.keys(reasons)
      .filter((id) => !untaken.includes(id) || met.includes(id))
      .map((id) =>
        known.has(id) ? `- a test takes ${id}, which is said to be unreachable` : `- there is no ${id}`,
      ),
  ];
}
