/** Small charts to draw, by hand and by chance. */
import type {
  ActionDescription,
  ChartDescription,
  StateDescription,
  TransitionDescription,
} from '@sansmtp/core';
import fc from 'fast-check';

export const effect = (name: string, params?: ActionDescription['params']): ActionDescription => ({
  kind: 'effect',
  name,
  ...(params !== undefined && { params }),
});

/** `on('knock', { target: 'open' })`, or `on('after patience', …)` for a deadline. */
export function on(name: string, rest: Partial<TransitionDescription> = {}): TransitionDescription {
  const delay = /^after (.*)$/.exec(name)?.[1];
  const trigger =
    delay === undefined ? ({ kind: 'event', type: name } as const) : ({ kind: 'deadline', delay } as const);
  return {
    id: `${name}|${rest.guard ?? ''}|${rest.target ?? ''}`,
    trigger,
    reenter: false,
    actions: [],
    ...rest,
  };
}

/** A state by its path; its kind and first child follow from `states`. */
export function state(path: string, rest: Partial<StateDescription> = {}): StateDescription {
  const states = rest.states ?? [];
  const [first] = states;
  return {
    path,
    key: path.slice(path.lastIndexOf('.') + 1),
    kind: states.length > 0 ? 'compound' : 'atomic',
    ...(first !== undefined && { initial: first.path }),
    entry: [],
    exit: [],
    deadlines: [],
    transitions: [],
    states,
    ...rest,
  };
}

export function chart(
  states: readonly StateDescription[],
  rest: Partial<StateDescription> = {},
): ChartDescription {
  return { id: 'chart', root: { ...state('', { states, ...rest }), key: 'chart' } };
}

/** The state and all that stand in it. */
export function withDescendants(root: StateDescription): StateDescription[] {
  return [root, ...root.states.flatMap(withDescendants)];
}

interface Tree {
  readonly final: boolean;
  readonly children: readonly Tree[];
}

const leaves: fc.Arbitrary<Tree> = fc.record({ final: fc.boolean(), children: fc.constant([]) });
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaves,
    fc.record({ final: fc.constant(false), children: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
  ),
}));

const names = fc.oneof(
  fc.constantFrom(
    'command.QUIT',
    'command.*',
    'go',
    'a_b',
    '**x**',
    'x: y; z',
    '<b>#1</b>',
    'after never',
    '"q"',
  ),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 6 }).map((text) => `n${text}n`),
);

/**
 * Any chart. Each transition has one effect of its own, `effect0`, `effect1` and so on in the order of the
 * states, by which it can be found in a picture.
 */
export const anyChart: fc.Arbitrary<ChartDescription> = fc
  .array(trees.tree, { minLength: 1, maxLength: 4 })
  .chain((roots) => {
    const grow = (tree: Tree, path: string): StateDescription =>
      state(path, {
        ...(tree.children.length === 0 && tree.final && { kind: 'final' }),
        states: tree.children.map((child, index) => grow(child, `${path}.s${index}`)),
      });
    const bare = chart(roots.map((tree, index) => grow(tree, `s${index}`)));
    const paths = withDescendants(bare.root).map(({ path }) => path);
    const transition = fc.record({
      source: fc.constantFrom(...paths),
      target: fc.option(fc.constantFrom(...paths), { nil: undefined }),
      guard: fc.option(names, { nil: undefined }),
      name: fc.oneof(
        names,
        names.map((name) => `after ${name}`),
      ),
    });
    return fc.array(transition, { maxLength: 20 }).map((transitions) => {
      let effects = 0;
      const lead = (from: StateDescription): StateDescription => ({
        ...from,
        transitions:
          from.kind === 'final'
            ? []
            : transitions
                .filter(({ source }) => source === from.path)
                .map(({ target, guard, name }) =>
                  on(name, {
                    ...(target !== undefined && { target }),
                    ...(guard !== undefined && { guard }),
                    actions: [effect(`effect${effects++}`)],
                  }),
                ),
        states: from.states.map(lead),
      });
      return { ...bare, root: lead(bare.root) };
    });
  });
