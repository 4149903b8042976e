/** A simulated session from its beginning to its end. The same three arguments give the same steps. */
import { type Choice, type Segmentation, WHOLE } from './choices.js';
import type { Scenario } from './scenario.js';
import type { Step } from './step.js';
import { World } from './world.js';

/** Nobody steps through more; whoever has the ends talk in a circle is stopped here. */
const MOST_TURNS = 500;

/** @param choices at most one a turn counts: the first */
export function run(
  scenario: Scenario,
  choices: readonly Choice[] = [],
  segmentation: Segmentation = WHOLE,
): readonly Step[] {
  const world = new World(scenario, segmentation);
  const steps: Step[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const taken = world.turn(choices.find((choice) => choice.turn === turn));
    if (taken.length === 0) break;
    steps.push(...taken);
  }
  return steps;
}
