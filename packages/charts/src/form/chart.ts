/** A description, laid out to be looked things up in: states by path, transitions with where they begin and lead. */
import {
  type ChartDescription,
  leafOf,
  type StateDescription,
  type TransitionDescription,
} from '@sansmtp/core/chart';

export interface Arrow {
  readonly transition: TransitionDescription;
  /** The state in which it stands; possibly a composite, and then it is taken in each state inside. */
  readonly source: StateDescription;
  /** The leaf that it leads to; undefined where it leads nowhere. */
  readonly target: StateDescription | undefined;
}

export interface Form {
  readonly chart: ChartDescription;
  /** All, in document order. */
  readonly states: readonly StateDescription[];
  readonly leaves: readonly StateDescription[];
  readonly arrows: readonly Arrow[];
  /** @throws {RangeError} there is no such state */
  state(path: string): StateDescription;
  /** The leaf that a session stands in after it entered the state: the first one inside, if it has any. */
  leafOf(path: string): StateDescription;
  /** The arrows that may be taken in a state, its own before its ancestors'. */
  arrowsFrom(state: StateDescription): readonly Arrow[];
}

export function formOf(chart: ChartDescription): Form {
  const states = withDescendants(chart.root);
  const byPath = new Map(states.map((state) => [state.path, state]));
  const state = (path: string): StateDescription => {
    const found = byPath.get(path);
    if (found === undefined) throw new RangeError(`The chart "${chart.id}" has no state "${path}"`);
    return found;
  };
  const leafAt = (path: string): StateDescription => state(leafOf(chart, path));
  const arrows = states.flatMap((source) =>
    source.transitions.map((transition) => ({
      transition,
      source,
      target: transition.target === undefined ? undefined : leafAt(transition.target),
    })),
  );
  return {
    chart,
    states,
    leaves: states.filter(({ states: inner }) => inner.length === 0),
    arrows,
    state,
    leafOf: leafAt,
    arrowsFrom: ({ path }) => {
      const lineage = lineageOf(path);
      return lineage.flatMap((each) => arrows.filter(({ source }) => source.path === each));
    },
  };
}

export function withDescendants(state: StateDescription): StateDescription[] {
  return [state, ...state.states.flatMap(withDescendants)];
}

/** The path and those of all that the state stands in, innermost first. */
export function lineageOf(path: string): string[] {
  if (path === '') return [''];
  return [path, ...lineageOf(path.slice(0, Math.max(path.lastIndexOf('.'), 0)))];
}

export const isWithin = (path: string, composite: string): boolean => lineageOf(path).includes(composite);
