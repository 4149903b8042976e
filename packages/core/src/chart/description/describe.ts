/**
 * The description of a chart: an XState machine as plain data, for pictures and for people. XState's own types
 * do not appear in it.
 *
 * What holds here
 * - The live machine is walked: its JSON would silently leave out what is a function.
 * - Nothing of the chart is missing but code. Actions and guards stand by their names; parameters that a
 *   function computes are not shown.
 * - It is JSON: what is not there is absent, never undefined.
 */

import { type GuardCombination, structureOfGuard, wordsOfGuard } from '../machine/guards.js';
import {
  type MachineShape,
  named,
  pathOf,
  type StateNodeShape,
  type TransitionShape,
  UnsupportedChartError,
} from '../machine/machine-shape.js';
import {
  delaysOf,
  isBuiltIn,
  type TriggerDescription,
  transitionIdOf,
  triggerOf,
} from '../machine/transition-id.js';
import { referencesIn } from './references.js';

export type { GuardCombination, TriggerDescription };

/** A chart of `describeChart`, as JSON: the very machine that a session runs. */
export interface ChartDescription {
  readonly id: string;
  /** The chart as a whole is a state too: its transitions hold everywhere. */
  readonly root: StateDescription;
}

/** One state of a chart, with all that stands in it. */
export interface StateDescription {
  /** Dotted, such as `session.transaction.opened`; empty for the root. */
  readonly path: string;
  /** The last part of the path; the chart's id for the root. */
  readonly key: string;
  readonly kind: 'atomic' | 'compound' | 'final';
  readonly description?: string;
  /** The machine's own remarks on the state: the plain values of its `meta`. */
  readonly meta?: PlainValues;
  /** The path of the child that is entered first. */
  readonly initial?: string;
  readonly entry: readonly ActionDescription[];
  readonly exit: readonly ActionDescription[];
  /** At a client of a protocol, what it says on entering this state. */
  readonly commands?: readonly string[];
  /** The names of the delays that begin on entering this state and end on leaving it. */
  readonly deadlines: readonly string[];
  /** In document order, which is the order of trial among those of one trigger; deadlines come last. */
  readonly transitions: readonly TransitionDescription[];
  /** In document order. */
  readonly states: readonly StateDescription[];
}

/** One arrow of a chart: when it is taken, where it leads, and what is done on the way. */
export interface TransitionDescription {
  /** Unique in the chart, and the `transition` of a session's records: `session.ready|command.MAIL|2`. */
  readonly id: string;
  readonly trigger: TriggerDescription;
  /** The guard that must hold, in words: a name such as `patient`, or `patient and not late`. */
  readonly guard?: string;
  /** Present where the guard is made up of others. */
  readonly combination?: GuardCombination;
  /** A path. Without one, nothing is left and nothing entered. */
  readonly target?: string;
  /** The state is left and entered anew, though the target is the state itself or stands inside of it. */
  readonly reenter: boolean;
  readonly actions: readonly ActionDescription[];
  readonly description?: string;
  /** The sections that `description` cites, and `meta.rfc`, each in full: `RFC 5321 §4.1.1.2`. */
  readonly references?: readonly string[];
  /** The machine's own remarks: the plain values of the transition's `meta`. */
  readonly meta?: PlainValues;
  /** The client's words on the wire: at a server what triggers this transition, at a client what is said on the way. */
  readonly commands?: readonly string[];
  /** The server's words on the wire: at a server what it replies, at a client the replies that trigger this. */
  readonly replies?: readonly ReplyDescription[];
}

/** A reply on the wire, as far as the chart knows it. */
export interface ReplyDescription {
  /** Three digits, or the first with `yz` where the others depend: `250`, `5yz`. */
  readonly code: string;
  /** The first line, where it is always the same. */
  readonly text?: string;
  /** `default`: an application may give another one. `event`: what is wrong with the command decides. */
  readonly origin: 'fixed' | 'default' | 'event' | 'peer';
}

/** Something that a transition does, or entering or leaving a state. */
export interface ActionDescription {
  /** An `assign` changes the context of the chart and nothing else; an `effect` is asked of the session. */
  readonly kind: 'assign' | 'effect';
  readonly name: string;
  /** Absent also when a function computes them. */
  readonly params?: PlainValues;
}

export type PlainValues = Readonly<Record<string, string | number | boolean>>;

/** @throws {UnsupportedChartError} naming what the machine uses that a description cannot hold */
export function describeMachine(machine: MachineShape): ChartDescription {
  return { id: machine.id, root: describeState(machine, machine.root) };
}

function describeState(machine: MachineShape, node: StateNodeShape): StateDescription {
  const { type: kind } = node;
  if (kind === 'parallel' || kind === 'history') throw new UnsupportedChartError(node, `a ${kind} state`);
  const [initial] = node.initial?.target ?? [];
  return {
    path: pathOf(node),
    key: node.key,
    kind,
    ...(node.description !== undefined && { description: node.description }),
    ...metaOf(node.meta),
    ...(initial !== undefined && { initial: pathOf(initial) }),
    entry: describeActions(machine, node, node.entry),
    exit: describeActions(machine, node, node.exit),
    deadlines: [...delaysOf(node).values()],
    transitions: [...node.transitions.values()].flatMap((transitions) =>
      transitions.map((transition) => describeTransition(machine, transition)),
    ),
    states: Object.values(node.states).map((child) => describeState(machine, child)),
  };
}

function describeTransition(machine: MachineShape, transition: TransitionShape): TransitionDescription {
  const { source, eventType, guard, target, reenter, actions, description, meta } = transition;
  const [node, ...more] = target ?? [];
  if (more.length > 0) throw new UnsupportedChartError(source, 'several targets');
  const combination = guard === undefined ? undefined : structureOfGuard(source, guard);
  const references = referencesIn([description, plainMeta(meta).rfc].filter(Boolean).join(', '));
  return {
    id: transitionIdOf(transition),
    trigger: triggerOf(source, eventType),
    ...(guard !== undefined && { guard: wordsOfGuard(source, guard) }),
    ...(typeof combination === 'object' && { combination }),
    ...(node !== undefined && { target: pathOf(node) }),
    reenter,
    actions: describeActions(machine, source, actions),
    ...(description !== undefined && { description }),
    ...(references.length > 0 && { references }),
    ...metaOf(meta),
  };
}

/** Of a `meta`, what is plain: more may stand there for others, and is none of a picture's business. */
function plainMeta(meta: unknown): PlainValues {
  if (typeof meta !== 'object' || meta === null) return {};
  return Object.fromEntries(Object.entries(meta).filter(([, value]) => isPlain(value)));
}

function metaOf(meta: unknown): { readonly meta?: PlainValues } {
  const plain = plainMeta(meta);
  return Object.keys(plain).length === 0 ? {} : { meta: plain };
}

/** The named actions. What XState added for a deadline is told by `deadlines`. */
function describeActions(
  machine: MachineShape,
  node: StateNodeShape,
  actions: readonly unknown[],
): ActionDescription[] {
  return actions
    .filter((action) => !isDeadline(action))
    .map((action) => {
      const { name, params } = named(node, 'action', action);
      const implementation = machine.implementations.actions[name];
      const kind = isBuiltIn(implementation) && implementation.type === 'xstate.assign' ? 'assign' : 'effect';
      return params === undefined || typeof params === 'function'
        ? { kind, name }
        : { kind, name, params: plainParams(node, name, params) };
    });
}

function isDeadline(action: unknown): boolean {
  if (!isBuiltIn(action)) return false;
  return action.type === 'xstate.cancel' || (action.type === 'xstate.raise' && action.delay !== undefined);
}

function plainParams(node: StateNodeShape, name: string, params: unknown): PlainValues {
  if (typeof params === 'object' && params !== null && Object.values(params).every(isPlain)) {
    return { ...(params as PlainValues) };
  }
  throw new UnsupportedChartError(node, `the action "${name}" with params that are not plain values`);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
