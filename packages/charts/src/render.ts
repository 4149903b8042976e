/** Charts as SVG: the overview, one picture a phase, and the whole. */
import type { ChartDescription } from '@sansmtp/core/chart';
import { shippedLayout } from './layouts/layouts.js';
import { overviewOf } from './overview/overview.js';
import { wholeInBands } from './phases/bands.js';
import { phaseOf, stacked } from './phases/phases.js';
import { storyOf } from './stories/stories.js';
import type { PhaseName, Story } from './stories/story.js';
import type { Scene } from './svg/scene.js';
import { type SvgOptions, serialize } from './svg/serialize.js';
import type { Layout } from './whole/layout.js';
import { fits, wholeOf } from './whole/whole.js';

/** In the order of a session. */
export const phases: readonly PhaseName[] = ['opening', 'tls', 'auth', 'transaction', 'ending'];

/**
 * Draws a whole chart, of any machine that `describe` of `@sansmtp/core/chart` describes.
 * @param layout of `await layOut(description)` of `@sansmtp/charts/layout`. Without one, our own charts have theirs, and any
 * other is drawn as a column of states beside a table of what they do
 * @throws {RangeError} the layout is that of another chart
 */
export function renderSvg(chart: ChartDescription, layout?: Layout, options?: SvgOptions): string {
  return serialize(wholeScene(chart, layout), options);
}

/**
 * Draws a session on one slide: 1000 × 700 pixels.
 * @throws {RangeError} the chart is none of `describeChart`: what matters most in others nobody has told
 */
export function renderOverview(chart: ChartDescription, options?: SvgOptions): string {
  return serialize(overviewScene(chart), options);
}

/**
 * Draws one phase of a session: the way through its states at the left, and all that each of them answers at the right.
 * @throws {RangeError} the chart is none of `describeChart`, or has no such phase
 */
export function renderPhase(chart: ChartDescription, phase: PhaseName, options?: SvgOptions): string {
  return serialize(phaseScene(chart, phase), options);
}

/**
 * Draws all phases, one below the other; each `id` begins with the phase's name.
 * @throws {RangeError} the chart is none of `describeChart`
 */
export function renderPhases(chart: ChartDescription, options?: SvgOptions): string {
  const scenes = phases.map((name) => ({ name, scene: phaseScene(chart, name) }));
  return serialize(stacked(scenes, storyFor(chart).title), options);
}

export function overviewScene(chart: ChartDescription): Scene {
  return overviewOf(chart, storyFor(chart));
}

export function phaseScene(chart: ChartDescription, name: PhaseName): Scene {
  const story = storyFor(chart);
  const phase = story.phases.find(({ id }) => id === name);
  if (phase === undefined)
    throw new RangeError(`There is no phase ${JSON.stringify(name)}; the phases are ${phases.join(', ')}`);
  return phaseOf(chart, story, phase);
}

export function wholeScene(chart: ChartDescription, layout?: Layout): Scene {
  const story = storyOf(chart);
  if (layout !== undefined) return wholeOf(chart, layout, story);
  const shipped = story === undefined ? undefined : shippedLayout(chart.id);
  return shipped !== undefined && fits(chart, shipped)
    ? wholeOf(chart, shipped, story)
    : wholeInBands(chart, story);
}

function storyFor(chart: ChartDescription): Story {
  const story = storyOf(chart);
  if (story === undefined) {
    throw new RangeError(
      `"${chart.id}" is none of our charts: draw it whole, by renderSvg(description, layout)`,
    );
  }
  return story;
}
