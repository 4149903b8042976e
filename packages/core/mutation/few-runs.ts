import { createRequire } from 'node:module';
import type fastCheck from 'fast-check';
import { expect } from 'vitest';

const original: typeof fastCheck = createRequire(import.meta.url)('fast-check');

/** Most mutants that a property kills, it kills in its first runs. */
const RUNS = 10;

/** These count what they met in all runs, and so need all of them. */
const needsAllRuns =
  /lenient reading|the parser of all commands makes|the session is opened once or fails once|every group is met|sent ahead of replies|that a reference model predicts|each message gets the verdicts|never quotes the text/;

const fc: typeof fastCheck = {
  ...original,
  // The same runs for each mutant, and no shrinking: a mutant that is killed is not looked into.
  assert: ((property: never, parameters: { numRuns?: number } = {}) => {
    const all = parameters.numRuns ?? 100;
    const numRuns = needsAllRuns.test(expect.getState().currentTestName ?? '') ? all : Math.min(all, RUNS);
    return original.assert(property, { seed: 1, endOnFailure: true, ...parameters, numRuns });
  }) as typeof fastCheck.assert,
};

export default fc;
