/**
 * A chart as the source of an XState machine, with the names of its guards and actions and without their code: Stately's
 * editor opens it, and it compiles with `@sansmtp/core/chart`.
 */
import type {
  ActionDescription,
  ChartDescription,
  GuardCombination,
  StateDescription,
  TransitionDescription,
} from '@sansmtp/core/chart';
import { formOf } from '../form/chart.js';

/** Writes a chart as a module that exports `machine`, made with `setup()`. */
export function renderXState(chart: ChartDescription): string {
  const { states, arrows } = formOf(chart);
  const guards = new Set(
    arrows.flatMap(({ transition }) => guardNames(transition.combination ?? transition.guard)),
  );
  const actions = new Map(
    states
      .flatMap((state) => [
        ...state.entry,
        ...state.exit,
        ...state.transitions.flatMap((each) => each.actions),
      ])
      .map((action) => [action.name, action.kind]),
  );
  const delays = new Set(states.flatMap((state) => state.deadlines));
  const combined = [
    ...new Set(arrows.flatMap(({ transition }) => combinators(transition.combination))),
  ].sort();
  const imports = [
    ...combined,
    ...([...actions.values()].includes('assign') ? ['assign'] : []),
    'setup',
  ].sort();
  const setup = {
    guards: [...guards].map((name) => `${key(name)}: () => false`),
    actions: [...actions].map(
      ([name, kind]) => `${key(name)}: ${kind === 'assign' ? 'assign({})' : '() => {}'}`,
    ),
    delays: [...delays].filter((name) => !/^\d+$/.test(name)).map((name) => `${key(name)}: 1000`),
  };
  const parts = Object.entries(setup).filter(([, list]) => list.length > 0);
  return [
    `import { ${imports.join(', ')} } from 'xstate';`,
    '',
    'export const machine = setup({',
    ...parts.flatMap(([name, list]) => [`  ${name}: {`, ...list.map((line) => `    ${line},`), '  },']),
    '}).createMachine({',
    `  id: ${literal(chart.id)},`,
    ...bodyOf(chart, chart.root).map((line) => `  ${line}`),
    '});',
    '',
  ].join('\n');
}

function bodyOf(chart: ChartDescription, state: StateDescription): string[] {
  const events = state.transitions.filter(({ trigger }) => trigger.kind === 'event');
  const deadlines = state.transitions.filter(({ trigger }) => trigger.kind === 'deadline');
  const initial = state.states.find(({ path }) => path === state.initial);
  return [
    ...(state.kind === 'final' ? [`type: 'final',`] : []),
    ...(state.description === undefined ? [] : [`description: ${literal(state.description)},`]),
    ...(initial === undefined ? [] : [`initial: ${literal(initial.key)},`]),
    ...listOf('entry', state.entry),
    ...listOf('exit', state.exit),
    ...transitionsOf(chart, 'on', events, (each) => (each.trigger.kind === 'event' ? each.trigger.type : '')),
    ...transitionsOf(chart, 'after', deadlines, (each) =>
      each.trigger.kind === 'deadline' ? each.trigger.delay : '',
    ),
    ...(state.states.length === 0
      ? []
      : [
          'states: {',
          ...state.states.flatMap((inner) => [
            `  ${key(inner.key)}: {`,
            ...bodyOf(chart, inner).map((line) => `    ${line}`),
            '  },',
          ]),
          '},',
        ]),
  ];
}

const listOf = (name: string, actions: readonly ActionDescription[]): string[] =>
  actions.length === 0 ? [] : [`${name}: [${actions.map(actionOf).join(', ')}],`];

function transitionsOf(
  chart: ChartDescription,
  name: string,
  transitions: readonly TransitionDescription[],
  nameOf: (transition: TransitionDescription) => string,
): string[] {
  const byName = new Map<string, TransitionDescription[]>();
  for (const transition of transitions)
    byName.set(nameOf(transition), [...(byName.get(nameOf(transition)) ?? []), transition]);
  if (byName.size === 0) return [];
  return [
    `${name}: {`,
    ...[...byName].flatMap(([event, all]) =>
      all.length === 1 && all[0] !== undefined
        ? [`  ${key(event)}: ${transitionOf(chart, all[0])},`]
        : [`  ${key(event)}: [`, ...all.map((each) => `    ${transitionOf(chart, each)},`), '  ],'],
    ),
    '},',
  ];
}

function transitionOf(
  chart: ChartDescription,
  { guard, combination, target, reenter, actions, description }: TransitionDescription,
): string {
  const parts = [
    ...(guard === undefined ? [] : [`guard: ${guardOf(combination ?? guard)}`]),
    ...(target === undefined
      ? []
      : [`target: ${literal(target === '' ? `#${chart.id}` : `#${chart.id}.${target}`)}`]),
    ...(reenter ? ['reenter: true'] : []),
    ...(actions.length === 0 ? [] : [`actions: [${actions.map(actionOf).join(', ')}]`]),
    ...(description === undefined ? [] : [`description: ${literal(description)}`]),
  ];
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

function actionOf({ name, params }: ActionDescription): string {
  if (params === undefined) return literal(name);
  const values = Object.entries(params).map(
    ([param, value]) => `${key(param)}: ${typeof value === 'string' ? literal(value) : value}`,
  );
  return `{ type: ${literal(name)}, params: { ${values.join(', ')} } }`;
}

function guardOf(guard: string | GuardCombination): string {
  if (typeof guard === 'string') return literal(guard);
  const parts = guard.guards.map(guardOf);
  return guard.kind === 'not' ? `not(${parts.join('')})` : `${guard.kind}([${parts.join(', ')}])`;
}

function guardNames(guard: string | GuardCombination | undefined): string[] {
  if (guard === undefined) return [];
  return typeof guard === 'string' ? [guard] : guard.guards.flatMap(guardNames);
}

function combinators(guard: string | GuardCombination | undefined): string[] {
  if (guard === undefined || typeof guard === 'string') return [];
  return [guard.kind, ...guard.guards.flatMap(combinators)];
}

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$|^\d+$/.test(name) ? name : literal(name));

const literal = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
