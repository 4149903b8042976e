/** How much of a chart a picture or a text shows. */
import { type ChartDescription, leafOf, type StateDescription } from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';
import { storyOf } from '../stories/stories.js';
import type { Story } from '../stories/story.js';

/** `overview`: the shape alone. `phases`: by parts of the dialogue. `full`: all of it. */
export type Level = 'overview' | 'phases' | 'full';

/** A chart in parts: each state stands in one; what is in none comes last. */
export interface Part {
  readonly id: string;
  readonly title: string;
  readonly states: readonly StateDescription[];
}

/** Without a story, a chart is one part. */
export function partsOf(chart: ChartDescription, story: Story | undefined): readonly Part[] {
  const { states } = formOf(chart);
  if (story === undefined) return [{ id: 'whole', title: chart.id, states }];
  const left = new Set(states);
  // A state that stands in several phases belongs to the last of them, such as `ready` to the mail transaction.
  const later = (key: string, phase: number) =>
    story.phases.slice(phase + 1).some(({ states: keys }) => keys.includes(key));
  const parts = story.phases.map(({ id, title, states: keys }, phase) => {
    const own = keys
      .filter((key) => !later(key, phase))
      .flatMap((key) => states.filter((state) => state.key === key && left.has(state)));
    for (const state of own) left.delete(state);
    return { id, title, states: own };
  });
  const rest = [...left].filter(
    ({ transitions, states: inner }) => transitions.length > 0 || inner.length === 0,
  );
  return rest.length === 0 ? parts : [...parts, { id: 'rest', title: 'Anywhere', states: rest }];
}

/** One of our charts with a composite for each phase: for formats that draw boxes in boxes. Others stay as they are. */
export function inParts(chart: ChartDescription): ChartDescription {
  const parts = partsOf(chart, storyOf(chart));
  if (parts.length < 2) return chart;
  const place = new Map(
    parts.flatMap(({ id, states }) =>
      states.map((state) => [state.path, `${id}.${nameOf(state, chart)}`] as const),
    ),
  );
  const moved = (path: string): string | undefined => place.get(path) ?? place.get(leafOf(chart, path));
  const composites = parts.map(({ id, states }): StateDescription => {
    const inner = states.map((state): StateDescription => {
      const { initial: _, ...rest } = state;
      return {
        ...rest,
        path: place.get(state.path) ?? state.path,
        key: nameOf(state, chart),
        kind: state.kind === 'final' ? 'final' : 'atomic',
        states: [],
        transitions: state.transitions.map((transition) => {
          const target = transition.target === undefined ? undefined : moved(transition.target);
          const { target: __, ...others } = transition;
          return target === undefined ? others : { ...others, target };
        }),
      };
    });
    return {
      path: id,
      key: id,
      kind: 'compound',
      entry: [],
      exit: [],
      deadlines: [],
      transitions: [],
      states: inner,
      ...(inner[0] && { initial: inner[0].path }),
    };
  });
  const initial = composites.find(({ states }) =>
    states.some(({ path }) => path === moved(leafOf(chart, ''))),
  );
  return {
    id: chart.id,
    root: { ...chart.root, transitions: [], states: composites, ...(initial && { initial: initial.path }) },
  };
}

function nameOf(state: StateDescription, chart: ChartDescription): string {
  if (state.states.length === 0) return state.key;
  return `any state of ${state.path === '' ? chart.id : state.key}`;
}
