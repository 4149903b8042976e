import { describe, expect, it } from 'vitest';
import { and, assign, not, or, raise, setup } from 'xstate';
import { shapeOf, UnsupportedChartError } from '../machine/machine-shape.js';
import { describeMachine, type StateDescription } from './describe.js';

const chart = setup({
  types: { context: {} as { readonly knocks: number }, events: {} as { readonly type: string } },
  guards: { patient: ({ context }) => context.knocks < 3 },
  actions: {
    say: (_, _params: { readonly words: string; readonly times?: number }) => {},
    ring: () => {},
    count: assign({ knocks: ({ context }) => context.knocks + 1 }),
  },
  delays: { patience: 5000 },
});

const door = chart.createMachine({
  id: 'door',
  context: { knocks: 0 },
  initial: 'shut',
  on: { fire: { target: '.gone', description: 'RFC 1' } },
  states: {
    shut: {
      description: 'Nobody gets in.',
      initial: 'quiet',
      entry: { type: 'say', params: { words: 'bye', times: 2 } },
      exit: 'ring',
      on: { 'key.*': 'open' },
      states: {
        quiet: {
          on: {
            knock: [
              { guard: 'patient', actions: ['count', 'ring'], description: 'RFC 2' },
              { target: 'waking' },
            ],
            'key.wrong': {
              actions: { type: 'say', params: ({ event }) => ({ words: `no ${event.type}` }) },
            },
          },
        },
        waking: {
          after: {
            patience: [{ guard: 'patient', target: 'quiet' }, { target: '#door.open' }],
            250: { actions: 'ring' },
          },
        },
      },
    },
    open: { on: { knock: { target: 'open', reenter: true } } },
    gone: { type: 'final', entry: 'ring' },
  },
});

const description = describeMachine(shapeOf(door));

function stateAt(...keys: readonly string[]): StateDescription {
  let state = description.root;
  for (const key of keys) {
    const child = state.states.find((candidate) => candidate.key === key);
    if (child === undefined) throw new Error(`${state.path} has no ${key}`);
    state = child;
  }
  return state;
}

const ring = { kind: 'effect', name: 'ring' };

describe('the description of a chart', () => {
  it('gives the chart its id, and describes its root as a state with the empty path', () => {
    const { id, root } = description;
    expect(id).toBe('door');
    expect(root).toMatchObject({ path: '', key: 'door', kind: 'compound', initial: 'shut' });
    expect(root.states.map(({ key }) => key)).toEqual(['shut', 'open', 'gone']);
  });

  it('gives a compound state its path, key, first child, description, and named actions', () => {
    const { states, transitions, ...shut } = stateAt('shut');
    expect(shut).toStrictEqual({
      path: 'shut',
      key: 'shut',
      kind: 'compound',
      description: 'Nobody gets in.',
      initial: 'shut.quiet',
      entry: [{ kind: 'effect', name: 'say', params: { words: 'bye', times: 2 } }],
      exit: [ring],
      deadlines: [],
    });
    expect(states.map(({ path }) => path)).toEqual(['shut.quiet', 'shut.waking']);
    expect(transitions).toStrictEqual([
      {
        id: 'shut|key.*|0',
        trigger: { kind: 'event', type: 'key.*' },
        target: 'open',
        reenter: false,
        actions: [],
      },
    ]);
  });

  it('gives the transitions of a state in document order, with guard, actions and description', () => {
    expect(stateAt('shut', 'quiet').transitions).toStrictEqual([
      {
        id: 'shut.quiet|knock|0',
        trigger: { kind: 'event', type: 'knock' },
        guard: 'patient',
        reenter: false,
        actions: [{ kind: 'assign', name: 'count' }, ring],
        description: 'RFC 2',
        references: ['RFC 2'],
      },
      {
        id: 'shut.quiet|knock|1',
        trigger: { kind: 'event', type: 'knock' },
        target: 'shut.waking',
        reenter: false,
        actions: [],
      },
      {
        id: 'shut.quiet|key.wrong|0',
        trigger: { kind: 'event', type: 'key.wrong' },
        reenter: false,
        actions: [{ kind: 'effect', name: 'say' }], // its parameters are computed
      },
    ]);
  });

  it('gives what XState keeps as a raise and a cancel as deadlines, by the names of their delays', () => {
    const waking = stateAt('shut', 'waking');
    expect([...waking.deadlines].sort()).toEqual(['250', 'patience']);
    expect(waking).toMatchObject({ kind: 'atomic', entry: [], exit: [] });
    const patience = waking.transitions.filter(
      ({ trigger }) => trigger.kind === 'deadline' && trigger.delay === 'patience',
    );
    expect(patience.map(({ guard, target }) => [guard, target])).toEqual([
      ['patient', 'shut.quiet'],
      [undefined, 'open'],
    ]);
    expect(waking.transitions.filter((transition) => !patience.includes(transition))).toStrictEqual([
      {
        id: 'shut.waking|after 250|0',
        trigger: { kind: 'deadline', delay: '250' },
        reenter: false,
        actions: [ring],
      },
    ]);
  });

  it('tells a final state, and a transition that re-enters', () => {
    expect(stateAt('gone')).toMatchObject({ kind: 'final', entry: [ring], transitions: [] });
    expect(stateAt('open').transitions).toMatchObject([{ target: 'open', reenter: true }]);
  });

  it('tells a guard that is combined of others in words, and how', () => {
    const machine = setup({
      guards: { late: () => true, known: () => true, older: (_, _than: { readonly years: number }) => true },
    }).createMachine({
      id: 'bar',
      on: {
        enter: {
          guard: and([or(['known', { type: 'older', params: { years: 18 } }]), not('late')]),
          actions: [],
        },
      },
    });
    const [entering] = describeMachine(shapeOf(machine)).root.transitions;
    expect(entering?.guard).toBe('(known or older(18)) and not late');
    expect(entering?.combination).toStrictEqual({
      kind: 'and',
      guards: [
        { kind: 'or', guards: ['known', 'older(18)'] },
        { kind: 'not', guards: ['late'] },
      ],
    });
  });

  it('gives the plain values of meta, and the sections that a description or meta.rfc cites', () => {
    const machine = setup({}).createMachine({
      id: 'cited',
      meta: { owner: 'us', component: () => {} },
      on: {
        a: { description: 'RFC 5321 §3.3, §4.1.1.2: for devices', meta: { rfc: 'RFC 1047' } },
        b: { description: 'RFC 3463 X.7.0, CVE-2011-0411, Postfix XCLIENT_README' },
        c: { description: 'as ever' },
      },
    });
    const { root } = describeMachine(shapeOf(machine));
    expect(root.meta).toStrictEqual({ owner: 'us' });
    expect(root.transitions.map(({ references }) => references)).toStrictEqual([
      ['RFC 5321 §3.3', 'RFC 5321 §4.1.1.2', 'RFC 1047'],
      ['RFC 3463 X.7.0', 'CVE-2011-0411', 'Postfix XCLIENT_README'],
      undefined,
    ]);
    expect(root.transitions[0]?.meta).toStrictEqual({ rfc: 'RFC 1047' });
  });

  it('has no first child where there is none, and no parameters where a function computes them or there are none', () => {
    expect('initial' in stateAt('open')).toBe(false);
    expect('initial' in stateAt('shut', 'quiet')).toBe(false);
    const wrong = stateAt('shut', 'quiet').transitions.find(({ id }) => id.includes('key.wrong'));
    expect(wrong?.actions).toStrictEqual([{ kind: 'effect', name: 'say' }]);
    expect(stateAt('gone').entry).toStrictEqual([ring]);
  });

  it('takes text, numbers, true and false for plain', () => {
    const meta = { text: 'a', number: 1, yes: true, list: ['a'], nothing: null, absent: undefined };
    const { root } = describeMachine(shapeOf(setup({}).createMachine({ id: 'plain', meta })));
    expect(root.meta).toStrictEqual({ text: 'a', number: 1, yes: true });
  });

  it('survives JSON unchanged', () => {
    expect(JSON.parse(JSON.stringify(description))).toStrictEqual(description);
  });

  it.each([
    ['a parallel state', { type: 'parallel', states: { a: {}, b: {} } }],
    ['a history state', { initial: 'a', states: { a: {}, b: { type: 'history' } } }],
    [
      'several targets',
      { initial: 'a', states: { a: { on: { go: { target: ['b', 'c'] } } }, b: {}, c: {} } },
    ],
    ['an inline action', { entry: () => {} }],
    ['an inline action', { entry: raise({ type: 'go' }) }],
    ['an inline guard', { on: { go: { guard: () => true } } }],
    [
      'the action "say" with params that are not plain values',
      { entry: { type: 'say', params: { words: ['a', 'b'] } } },
    ],
  ])('refuses %s by name', (feature, config) => {
    const machine = setup({}).createMachine({ id: 'odd', ...config } as object);
    const refused = () => describeMachine(shapeOf(machine));
    expect(refused).toThrow(UnsupportedChartError);
    expect(refused).toThrow(feature);
  });
});
