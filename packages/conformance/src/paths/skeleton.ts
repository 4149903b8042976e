/**
 * The server's chart without its guards: each transition has an event of its own, so that `xstate/graph` finds the way to any
 * state. Whether a client can take a way, and by which words, `words.ts` knows.
 */
import { describeChart, type StateDescription, type TransitionDescription } from '@sansmtp/core';
import { createMachine } from 'xstate';
import { getShortestPaths } from 'xstate/graph';

export interface ChartTransition {
  readonly id: string;
  /** The state that has it, by its path; it holds in the states within, too. */
  readonly source: string;
  /** The event by which it is taken: `command.MAIL`, `accepted`; a deadline by its name. */
  readonly event: string;
  readonly isDeadline: boolean;
  readonly guard: string;
  readonly description: string;
}

const transitionOf = (source: string, transition: TransitionDescription): ChartTransition => {
  const { trigger } = transition;
  return {
    id: transition.id,
    source,
    event:
      trigger.kind === 'event' ? trigger.type : 'deadline' in trigger ? String(trigger.deadline) : 'delay',
    isDeadline: trigger.kind !== 'event',
    guard: JSON.stringify(transition.guard ?? ''),
    description: transition.description ?? '',
  };
};

function transitionsWithin(state: StateDescription): ChartTransition[] {
  return [
    ...state.transitions.map((each) => transitionOf(state.path, each)),
    ...state.states.flatMap(transitionsWithin),
  ];
}

/** All transitions of the server's chart. */
export const chartTransitions = (): readonly ChartTransition[] =>
  transitionsWithin(describeChart('server').root);

interface Skeleton {
  readonly id: string;
  readonly initial?: string;
  readonly states?: Record<string, Skeleton>;
  readonly on: Record<string, { target?: string; reenter?: boolean }>;
}

/** A state's path is its identifier here. */
function skeletonOf(state: StateDescription): Skeleton {
  const name = (path: string): string => path.split('.').at(-1) ?? path;
  const on: Skeleton['on'] = {};
  for (const { id, target } of state.transitions) {
    on[id.replaceAll('.', ' ')] = target === undefined ? {} : { target: `#${idOf(target)}` };
  }
  if (state.states.length === 0) return { id: idOf(state.path), on };
  const [first] = state.states;
  return {
    id: idOf(state.path),
    initial: name(state.initial ?? first?.path ?? ''),
    states: Object.fromEntries(state.states.map((each) => [name(each.path), skeletonOf(each)])),
    on,
  };
}

/** Dots separate states elsewhere. */
const idOf = (path: string): string => `state ${path.replaceAll('.', ' ')}`;

/** How a client comes in. */
type Manner = 'with EHLO' | 'without EHLO';

/** As far as the client brings it, and an application that says yes. */
function isUsable({ event, source, isDeadline, guard }: ChartTransition, manner: Manner): boolean {
  if (isDeadline || /refus/i.test(guard)) return false;
  if (event === 'command.EHLO') return manner === 'with EHLO';
  if (event === 'command.RSET') return manner === 'without EHLO' && source === 'session.transaction';
  if (event === 'command.MAIL') return manner === 'without EHLO' || source !== 'session.greeted';
  return /^(?:accepted|endOfChunk|command\.(?:RCPT|BDAT))$/.test(event);
}

type Paths = ReadonlyMap<string, readonly ChartTransition[]>;

const known = new Map<Manner, Paths>();

/** The shortest way to each leaf state, by the state's path. */
export function shortestPaths(manner: Manner): Paths {
  const found = known.get(manner) ?? findPaths(manner);
  known.set(manner, found);
  return found;
}

function findPaths(manner: Manner): Paths {
  const transitions = new Map(chartTransitions().map((each) => [each.id.replaceAll('.', ' '), each]));
  const machine = createMachine(skeletonOf(describeChart('server').root) as never);
  const events = [...transitions].filter(([, each]) => isUsable(each, manner)).map(([type]) => ({ type }));
  return new Map(
    getShortestPaths(machine, { events } as never).map(({ state, steps }) => [
      leafOf(state.value),
      steps.flatMap(({ event }) => transitions.get(event.type) ?? []),
    ]),
  );
}

function leafOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, inner] = ['', '']] = Object.entries(value as Record<string, unknown>);
  const rest = leafOf(inner);
  return rest === '' ? name : `${name}.${rest}`;
}
