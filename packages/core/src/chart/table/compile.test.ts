import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, and, assign, cancel, log, not, or, raise, setup, stateIn } from 'xstate';
import {
  type ChartEvent,
  type MachineShape,
  shapeOf,
  UnsupportedChartError,
} from '../machine/machine-shape.js';
import { rootNodeOf } from '../machine/state-nodes.js';
import { type ChartState, type CompiledChart, compile } from './compile.js';
import { compareEverywhere, plainNode, startTwin, stepTwin } from './equality.test-support.js';
import type { Effect } from './operations.js';

interface Context {
  readonly n: number;
  readonly note: string;
}

/** A vocabulary for all charts below: effects a to d, changes of the context, guards on it, delays. */
const vocabulary = setup({
  types: { context: {} as Context, events: {} as { type: string; by?: number } },
  guards: {
    never: () => false,
    even: ({ context }) => context.n % 2 === 0,
    below: ({ context }, params: { limit: number }) => context.n < params.limit,
    both: and(['even', { type: 'below', params: { limit: 2 } }]),
  },
  actions: {
    a: () => {},
    b: () => {},
    c: () => {},
    d: () => {},
    say: (_, _params: { text: unknown }) => {},
    increment: assign({ n: ({ context }) => (context.n + 1) % 3 }),
    reset: assign({ n: 0, note: 'reset' }),
    whole: assign(({ context }) => ({ note: `n was ${context.n}` })),
    add: assign({ n: ({ context }, params: { by: number }) => (context.n + params.by) % 5 }),
    take: assign((_, params: { note: string }) => ({ note: params.note })),
    raising: raise({ type: 'E' }),
  },
  delays: { short: 10, growing: ({ context }) => 100 * (context.n + 1) },
});

/** The part of a machine's configuration that these tests make up. */
interface Config {
  readonly [key: string]: unknown;
}

function machineOf(config: Config): AnyStateMachine {
  const whole = { id: 'm', context: { n: 0, note: '' }, ...config };
  return vocabulary.createMachine(whole as never) as unknown as AnyStateMachine;
}

const chartOf = (machine: AnyStateMachine): CompiledChart<Context, ChartEvent, undefined> =>
  compile(shapeOf(machine));

/** Compares the states with XState's, and the table with XState on every state and event that can be reached. */
function agree(config: Config, ...events: (string | ChartEvent)[]) {
  const machine = machineOf(config);
  expect(plainNode(rootNodeOf({ id: 'm', ...config }))).toEqual(plainNode(shapeOf(machine).root));
  const all = events.map((event) => (typeof event === 'string' ? { type: event } : event));
  return compareEverywhere(machine, chartOf(machine), undefined, all);
}

/** Takes the events one by one; gives back where the chart then stands, and the effects of the last. */
function follow(config: Config, ...events: string[]) {
  const chart = chartOf(machineOf(config));
  let effects: Effect[] = [];
  let state: ChartState<Context> = chart.start(undefined, effects);
  for (const type of events) {
    effects = [];
    state = chart.step(state, { type }, effects) ?? state;
  }
  return { value: state.value, context: state.context, effects: effects.map(({ type }) => type) };
}

describe('a compiled chart', () => {
  it('knows its leaf states in document order, and all event types', () => {
    const chart = chartOf(
      machineOf({
        initial: 'x',
        on: { '*': {} },
        states: {
          x: { initial: 'p', states: { p: { on: { E: 'q' } }, q: {} }, after: { short: 'y' } },
          y: { type: 'final' },
        },
      }),
    );
    expect(chart.leaves).toEqual(['x.p', 'x.q', 'y']);
    expect([...chart.eventTypes].sort()).toEqual(['*', 'E', 'xstate.after.short.m.x']);
  });

  it('says undefined to an event that it has no transition for, and leaves everything as it is', () => {
    const chart = chartOf(
      machineOf({ initial: 'x', states: { x: { on: { E: { guard: 'never', actions: 'a' } } } } }),
    );
    const effects: Effect[] = [];
    const start = chart.start(undefined, effects);
    expect(chart.step(start, { type: 'E' }, effects)).toBeUndefined();
    expect(chart.step(start, { type: 'F' }, effects)).toBeUndefined();
    expect(effects).toEqual([]);
  });

  it('never changes a state that it gave', () => {
    const chart = chartOf(
      machineOf({ initial: 'x', states: { x: { on: { E: { actions: 'increment' } } } } }),
    );
    const start = chart.start(undefined, []);
    const next = chart.step(start, { type: 'E' }, []);
    expect(start.context.n).toBe(0);
    expect(next?.context.n).toBe(1);
  });

  it('explains which transition an event takes, by the guards that were asked and the states on the way', () => {
    const chart = chartOf(
      machineOf({
        initial: 'x',
        states: {
          x: {
            initial: 'y',
            states: { y: {} },
            on: {
              E: [
                { guard: 'never', target: 'z' },
                { guard: 'even', target: 'z', description: 'RFC 1' },
              ],
              F: [{ guard: 'never', target: 'z' }, { actions: 'a' }],
              G: { guard: 'never', target: 'z' },
            },
          },
          z: {},
        },
      }),
    );
    const state = chart.start(undefined, []);
    expect(chart.explain(state, { type: 'E' })).toEqual({
      transition: 'x|E|1',
      guards: [
        { guard: 'never', passed: false },
        { guard: 'even', passed: true },
      ],
      left: ['x.y', 'x'],
      entered: ['z'],
      description: 'RFC 1',
    });
    const stays = { transition: 'x|F|1', guards: [{ guard: 'never', passed: false }], left: [], entered: [] };
    expect(chart.explain(state, { type: 'F' })).toEqual(stays);
    expect(chart.explain(state, { type: 'G' })).toBeUndefined();
    expect(chart.explain(state, { type: 'H' })).toBeUndefined();
  });

  it('has the same context after an assignment that changes nothing, and another one after any that does', () => {
    const chart = chartOf(
      machineOf({
        initial: 'x',
        states: { x: { on: { E: { actions: 'reset' }, F: { actions: 'increment' } } } },
      }),
    );
    const first = chart.start(undefined, []);
    const reset = chart.step(first, { type: 'E' }, []);
    expect(reset?.context).toEqual({ n: 0, note: 'reset' });
    expect(reset && chart.step(reset, { type: 'E' }, [])?.context).toBe(reset?.context);
    expect(reset && chart.step(reset, { type: 'F' }, [])?.context).toEqual({ n: 1, note: 'reset' });
  });

  it('throws on a state that is none of its own', () => {
    const chart = chartOf(machineOf({ initial: 'x', states: { x: {} } }));
    const stranger = { value: 'z', context: { n: 0, note: '' } };
    expect(() => chart.step(stranger, { type: 'E' }, [])).toThrow(new RangeError('m has no leaf state "z"'));
  });

  it('takes its context from the input', () => {
    const machine = setup({
      types: { context: {} as { n: number }, input: {} as { n: number } },
    }).createMachine({ context: ({ input }) => ({ n: input.n + 1 }), initial: 'x', states: { x: {} } });
    const chart = compile<{ n: number }, ChartEvent, { n: number }>(shapeOf(machine));
    expect(chart.start({ n: 6 }, []).context).toEqual({ n: 7 });
    expect(startTwin(machine, chart, { n: 6 }).compiled.value).toBe('x');
  });
});

describe('what a chart may use, the same in the table as in XState', () => {
  it('nested states, entered by default from the outside in', () => {
    const nested = {
      initial: 'x',
      entry: 'a',
      states: {
        x: {
          initial: 'p',
          entry: 'b',
          exit: 'b',
          states: {
            p: {
              initial: 'deep',
              entry: 'c',
              states: { deep: { entry: 'd', exit: 'd', on: { E: '#m.y' } } },
            },
          },
        },
        y: { entry: 'a', on: { E: 'x', F: { target: '#m.x.p', actions: 'b' } } },
      },
    };
    expect(follow(nested)).toMatchObject({ value: 'x.p.deep', effects: ['a', 'b', 'c', 'd'] });
    expect(follow(nested, 'E')).toMatchObject({ value: 'y', effects: ['d', 'b', 'a'] });
    expect(agree(nested, 'E', 'F').leaves).toEqual(new Set(['x.p.deep', 'y']));
  });

  it('exit, transition and entry actions, in this order', () => {
    const config = {
      initial: 'x',
      states: {
        x: { exit: ['a', 'b'], on: { E: { target: 'y', actions: ['c', 'increment', 'c'] } } },
        y: { entry: ['b', 'd'], on: { E: 'x' } },
      },
    };
    expect(follow(config, 'E').effects).toEqual(['a', 'b', 'c', 'c', 'b', 'd']);
    agree(config, 'E');
  });

  it('guards in order, and nothing done by those that fail', () => {
    agree(
      {
        initial: 'x',
        states: {
          x: {
            on: {
              E: [
                { guard: 'never', target: 'y', actions: 'a' },
                { guard: 'even', actions: ['b', 'increment'] },
                { guard: { type: 'below', params: { limit: 2 } }, target: 'y', actions: 'c' },
                { actions: 'd' },
              ],
            },
          },
          y: {
            on: {
              E: {
                guard: {
                  type: 'below',
                  params: ({ context }: { context: Context }) => ({ limit: context.n }),
                },
                target: 'x',
              },
              F: { target: 'x', actions: 'increment' },
            },
          },
        },
      },
      'E',
      'F',
    );
  });

  it('guards that are combined of others, by name and in place', () => {
    const candidates = [
      { guard: not(or(['even', and(['both', 'never'])])), actions: ['a', 'increment'] },
      { guard: 'both', target: 'y', actions: ['b', 'increment'] },
      { guard: and([not('both'), or(['never', 'even'])]), actions: ['c', 'increment'] },
    ];
    const { leaves } = agree(
      { initial: 'x', states: { x: { on: { E: candidates } }, y: { on: { E: candidates, F: 'x' } } } },
      'E',
      'F',
    );
    expect(leaves).toEqual(new Set(['x', 'y']));
  });

  it('the transitions of ancestors, behind those of the state itself', () => {
    const config = {
      initial: 'x',
      on: { E: { actions: 'a' }, F: { actions: 'a' }, G: { actions: 'a' } },
      states: {
        x: {
          initial: 'p',
          on: { E: { actions: 'b' }, F: { guard: 'even', actions: 'b' } },
          states: { p: { on: { E: { guard: 'never', actions: 'c' }, H: { actions: 'increment' } } } },
        },
      },
    };
    expect(follow(config, 'E').effects).toEqual(['b']);
    expect(follow(config, 'G').effects).toEqual(['a']);
    expect(follow(config, 'H', 'F').effects).toEqual(['a']);
    agree(config, 'E', 'F', 'G', 'H');
  });

  it('forbidden transitions, which keep an event from the ancestors', () => {
    const config = {
      initial: 'x',
      on: { E: { actions: 'a' }, F: { actions: 'a' } },
      states: { x: { on: { E: {}, F: { guard: 'never' } } } },
    };
    expect(follow(config, 'E').effects).toEqual([]);
    expect(follow(config, 'F').effects).toEqual(['a']);
    agree(config, 'E', 'F');
  });

  it('wildcards: behind the exact event type, the longer before the shorter', () => {
    const config = {
      initial: 'x',
      states: {
        x: {
          on: {
            '*': { actions: 'a' },
            'e.*': { actions: 'b' },
            'e.f.*': { actions: 'c' },
            'e.f.g': { actions: 'd' },
          },
        },
      },
    };
    expect(follow(config, 'e.f.g').effects).toEqual(['d']);
    expect(follow(config, 'e.f.h').effects).toEqual(['c']);
    expect(follow(config, 'e.f').effects).toEqual(['c']);
    expect(follow(config, 'e.h').effects).toEqual(['b']);
    expect(follow(config, 'ef').effects).toEqual(['a']);
    agree(config, 'e.f.g', 'e.f.g.h', 'e.f.h', 'e.f', 'e.h', 'e', 'ef', 'other');
  });

  it('wildcards of the state itself before the exact event type of an ancestor', () => {
    const config = {
      initial: 'x',
      on: { 'e.f': { actions: 'a' } },
      states: { x: { on: { 'e.*': { actions: 'b' } } } },
    };
    expect(follow(config, 'e.f').effects).toEqual(['b']);
    agree(config, 'e.f', 'e.g');
  });

  it('wildcards when all guards of the exact event type fail', () => {
    const config = {
      initial: 'x',
      on: { '*': { actions: 'd' } },
      states: {
        x: {
          on: {
            'e.f': { guard: 'even', actions: ['a', 'increment'] },
            'e.*': { guard: 'never', actions: 'b' },
            '*': { guard: { type: 'below', params: { limit: 2 } }, actions: ['c', 'increment'] },
          },
        },
      },
    };
    expect(follow(config, 'e.f', 'e.f').effects).toEqual(['c']);
    expect(follow(config, 'e.f', 'e.f', 'e.g').effects).toEqual(['d']);
    agree(config, 'e.f', 'e.g', 'other');
  });

  it('transitions that leave nothing, and such that re-enter', () => {
    const states = {
      p: { entry: 'c', exit: 'c', on: { SELF: 'p', AGAIN: { target: 'p', reenter: true }, NEXT: 'q' } },
      q: { entry: 'd', exit: 'd', on: { NEXT: 'p' } },
    };
    const config = {
      initial: 'x',
      states: {
        x: {
          initial: 'p',
          entry: 'a',
          exit: 'b',
          states,
          on: {
            STAY: { actions: 'a' },
            CHILD: '.p',
            CHILD_AGAIN: { target: '.p', reenter: true },
            PARENT: 'x',
            PARENT_AGAIN: { target: 'x', reenter: true },
          },
        },
      },
    };
    expect(follow(config, 'SELF').effects).toEqual([]);
    expect(follow(config, 'AGAIN').effects).toEqual(['c', 'c']);
    expect(follow(config, 'STAY').effects).toEqual(['a']);
    expect(follow(config, 'NEXT', 'CHILD').effects).toEqual(['d', 'c']);
    expect(follow(config, 'NEXT', 'CHILD_AGAIN').effects).toEqual(['d', 'b', 'a', 'c']);
    expect(follow(config, 'NEXT', 'PARENT').effects).toEqual(['d', 'c']);
    expect(follow(config, 'NEXT', 'PARENT_AGAIN').effects).toEqual(['d', 'b', 'a', 'c']);
    agree(config, 'SELF', 'AGAIN', 'NEXT', 'STAY', 'CHILD', 'CHILD_AGAIN', 'PARENT', 'PARENT_AGAIN');
  });

  it('transitions of the root', () => {
    const config = {
      initial: 'x',
      exit: 'd',
      on: { E: '.y', F: { target: '#m.x.q', actions: 'a' } },
      states: {
        x: { initial: 'p', entry: 'b', exit: 'b', states: { p: { exit: 'c' }, q: { entry: 'c' } } },
        y: { entry: 'a', exit: 'a' },
      },
    };
    expect(follow(config, 'F').effects).toEqual(['c', 'b', 'a', 'b', 'c']);
    agree(config, 'E', 'F');
  });

  it('deadlines: a number, a name, a function of the context, and several at once', () => {
    const config = {
      initial: 'x',
      states: {
        x: {
          after: {
            5: { guard: 'even', actions: ['a', 'increment'] },
            short: 'y',
            growing: [{ guard: 'never', target: 'y' }, { actions: 'b' }],
          },
          on: { E: { actions: 'increment' }, AGAIN: { target: 'x', reenter: true } },
        },
        y: { initial: 'p', after: { growing: 'x' }, states: { p: { after: { short: 'q' } }, q: {} } },
      },
    };
    const chart = chartOf(machineOf(config));
    const effects: Effect[] = [];
    chart.start(undefined, effects);
    expect(effects).toEqual([
      { type: 'setDeadline', params: { id: 'xstate.after.5.m.x', delay: 5 } },
      { type: 'setDeadline', params: { id: 'xstate.after.short.m.x', delay: 10 } },
      { type: 'setDeadline', params: { id: 'xstate.after.growing.m.x', delay: 100 } },
    ]);
    const due = 'xstate.after.short.m.x';
    expect(follow(config, due)).toMatchObject({
      value: 'y.p',
      effects: expect.arrayContaining(['clearDeadline']),
    });
    agree(config, 'E', 'AGAIN');
  });

  it('changes of the context, seen by what comes after them', () => {
    const config = {
      initial: 'x',
      states: {
        x: {
          on: {
            E: {
              actions: [
                { type: 'say', params: ({ context }: { context: Context }) => ({ text: context.n }) },
                'increment',
                { type: 'say', params: ({ context }: { context: Context }) => ({ text: context.n }) },
                'whole',
                { type: 'say', params: { text: 'the same each time' } },
              ],
            },
            F: {
              actions: [
                { type: 'add', params: ({ event }: { event: { by?: number } }) => ({ by: event.by ?? 1 }) },
                { type: 'take', params: { note: 'as given' } },
              ],
            },
            G: { actions: ['reset', { type: 'add', params: { by: 2 } }] },
          },
        },
      },
    };
    expect(follow(config, 'E').context).toEqual({ n: 1, note: 'n was 1' });
    agree(config, 'E', 'F', { type: 'F', by: 3 } as ChartEvent, 'G');
  });

  it('a final state at the top, from which nothing leads; all that was active is left', () => {
    const config = {
      initial: 'x',
      exit: 'a',
      on: { '*': { actions: 'b' } },
      states: {
        x: { initial: 'p', exit: 'c', states: { p: { exit: 'd', on: { END: '#m.end' } } } },
        end: { type: 'final', entry: 'b', exit: 'd' },
      },
    };
    expect(follow(config, 'END').effects).toEqual(['d', 'c', 'b', 'd', 'a']);
    expect(follow(config, 'END', 'OTHER')).toMatchObject({ value: 'end' });
    expect(agree(config, 'END', 'OTHER').leaves).toEqual(new Set(['x.p', 'end']));
  });
});

describe('what a chart may not use', () => {
  const within = (x: Config, more: Config = {}): Config => ({
    initial: 'x',
    states: { x, y: {}, ...(more.states as object) },
    ...(({ states: _, ...rest }) => rest)(more),
  });
  const inner = { initial: 'p', states: { p: {}, q: {} } };

  it.each<[string, string, Config]>([
    ['a parallel state', 'm.x', within({ ...inner, type: 'parallel', initial: undefined })],
    ['a history state', 'm.x.q', within({ ...inner, states: { p: {}, q: { type: 'history' } } })],
    [
      'a final state below the top level',
      'm.x.q',
      within({ ...inner, states: { p: {}, q: { type: 'final' } } }),
    ],
    ['invoke', 'm.x', within({ invoke: { src: 'job' } })],
    ['always', 'm.x', within({ always: { guard: 'never', target: 'y' } })],
    ['onDone', 'm.x', within({ ...inner, onDone: 'y' })],
    ['several targets', 'm.x', within({ on: { E: { target: ['y', 'x'] } } })],
    ['an initial action', 'm.x', within({ ...inner, initial: { target: 'p', actions: 'a' } })],
    ['re-entering the root', 'm', within({}, { on: { E: { target: '#m.x', reenter: true } } })],
    ['an inline guard', 'm.x', within({ on: { E: { guard: () => true, target: 'y' } } })],
    ['an inline guard', 'm.x', within({ on: { E: { guard: and(['even', () => true]), target: 'y' } } })],
    ['an inline guard', 'm.x', within({ on: { E: { guard: stateIn({ x: 'p' }), target: 'y' } } })],
    ['the guard "absent" (not a plain function)', 'm.x', within({ on: { E: { guard: 'absent' } } })],
    ['an inline action (a function)', 'm.x', within({ entry: () => {} })],
    ['an inline action (xstate.assign)', 'm.x', within({ exit: assign({ n: 1 }) })],
    ['an inline action (xstate.raise)', 'm.x', within({ entry: raise({ type: 'E' }) })],
    [
      'an inline action (xstate.raise)',
      'm.x',
      within({ entry: raise({ type: 'E' }, { delay: 5, id: 'own' }) }),
    ],
    ['an inline action (xstate.cancel)', 'm.x', within({ entry: cancel(() => 'own') })],
    ['an inline action (xstate.log)', 'm.x', within({ entry: log('text') })],
    ['the action "raising" (neither an assign nor a plain function)', 'm.x', within({ entry: 'raising' })],
    ['the action "absent" (neither an assign nor a plain function)', 'm.x', within({ entry: 'absent' })],
    ['the delay "absent" (neither a number nor a function)', 'm.x', within({ after: { absent: 'y' } })],
  ])('%s', (feature, where, config) => {
    const machine = machineOf(config);
    expect(() => chartOf(machine)).toThrow(new UnsupportedChartError({ id: where } as MachineShape, feature));
  });
});

/** Any chart of what is supported: states nested up to three deep, and transitions between any two of them. */
const anyConfig: fc.Arbitrary<Config> = (() => {
  const effects = fc.subarray(['a', 'b', 'c', 'increment'], { maxLength: 2 });
  const named = fc.constantFrom('even', 'never', 'both', { type: 'below', params: { limit: 2 } });
  const guard = fc.oneof(
    named,
    fc.array(named, { minLength: 1, maxLength: 3 }).map((guards) => and(guards as never)),
    fc.array(named, { minLength: 1, maxLength: 3 }).map((guards) => or(guards as never)),
    named.map((each) => not(each as never)),
  );
  const transition = (targets: readonly string[]) =>
    fc.record(
      {
        target: fc.constantFrom(...targets),
        reenter: fc.boolean(),
        guard,
        actions: effects,
      },
      { requiredKeys: [] },
    );
  const on = (targets: readonly string[]) => {
    const candidates = fc.array(transition(targets), { minLength: 1, maxLength: 2 });
    const types = ['e', 'f', 'e.g', 'e.*', 'e.g.*', '*'];
    return fc.record(Object.fromEntries(types.map((type) => [type, candidates])), { requiredKeys: [] });
  };
  /** The shape of a tree: how many children each state has. */
  interface Shape {
    readonly children: readonly Shape[];
  }
  const leaf = fc.constant<Shape>({ children: [] });
  const level = (below: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
    fc.record({ children: fc.array(below, { minLength: 1, maxLength: 2 }) });
  const shape = level(fc.oneof(leaf, level(fc.oneof(leaf, level(leaf)))));

  const pathsIn = (tree: Shape, path: string): string[] =>
    tree.children.flatMap((child, index) => [`${path}.s${index}`, ...pathsIn(child, `${path}.s${index}`)]);
  const state = (tree: Shape, targets: readonly string[], top: boolean): fc.Arbitrary<Config> =>
    fc
      .record({
        entry: effects,
        exit: effects,
        // Re-entering the root is refused.
        on: on(targets).map((types) => (top ? withoutReentry(types) : types)),
        after: top ? fc.constant({}) : fc.record({ 5: transition(targets) }, { requiredKeys: [] }),
        children: fc.tuple(...tree.children.map((child) => state(child, targets, false))),
        initial: fc.nat({ max: Math.max(tree.children.length - 1, 0) }),
      })
      .map(({ children, initial, ...config }) =>
        children.length === 0
          ? config
          : {
              ...config,
              initial: `s${initial}`,
              states: Object.fromEntries(children.map((child, index) => [`s${index}`, child])),
            },
      );
  const withoutReentry = (types: { readonly [type: string]: object[] | undefined }) =>
    Object.fromEntries(
      Object.entries(types).map(([type, candidates]) => [
        type,
        candidates?.map((candidate) => ({ ...candidate, reenter: false })),
      ]),
    );
  return shape.chain((tree) =>
    state(
      tree,
      pathsIn(tree, '').map((path) => `#m${path}`),
      true,
    ),
  );
})();

describe('any chart', () => {
  it('is the same in the table as in XState, on every state and event that can be reached', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        agree(config, 'e', 'f', 'e.g', 'e.g.h', 'e.x', 'other');
      }),
      { numRuns: 15 },
    );
  });

  it('is the same on any walk', () => {
    const events = fc.array(fc.constantFrom('e', 'f', 'e.g', 'e.g.h', 'e.x', 'other'), { maxLength: 20 });
    fc.assert(
      fc.property(anyConfig, events, (config, walk) => {
        const machine = machineOf(config);
        const chart = chartOf(machine);
        let twin = startTwin(machine, chart, undefined);
        for (const type of walk) twin = stepTwin(machine, chart, twin, { type });
      }),
      { numRuns: 100 },
    );
  });
});
