/**
 * `setup` and `assign` as XState has them, without XState: what they give is the definition of a machine, which the
 * compiler and the description read as they read XState's own.
 *
 * - A chart that imports them from here is written, and checked by TypeScript, as an XState machine. That is also why
 *   `createMachine` has XState's type: it knows context, events and input of the chart. What it gives has the properties
 *   of `MachineShape`, and no other.
 * - So a session runs without loading XState, and a chart costs nothing before its first session: the nodes are made when
 *   `root` is asked for.
 * - `definition.test-support.ts` makes the XState machine of a definition. The tests compare both, node by node, and each
 *   step of a table with XState's own.
 */
import type { assign as assignOfXState, setup as setupOfXState } from 'xstate';
import type { BuiltInAction, MachineShape, StateNodeShape } from './machine-shape.js';
import { type MachineConfig, rootNodeOf } from './state-nodes.js';

/** What `setup` is given, as far as it has a meaning when the chart runs. */
interface Vocabulary {
  readonly actions?: Readonly<Record<string, unknown>>;
  readonly guards?: Readonly<Record<string, unknown>>;
  readonly delays?: Readonly<Record<string, unknown>>;
}

class Definition implements MachineShape {
  readonly id: string;
  readonly config: MachineConfig;
  readonly implementations: MachineShape['implementations'];
  #root: StateNodeShape | undefined;

  constructor(config: MachineConfig, { actions = {}, guards = {}, delays = {} }: Vocabulary) {
    this.id = config.id;
    this.config = config;
    this.implementations = { actions, guards, delays };
  }

  get root(): StateNodeShape {
    this.#root ??= rootNodeOf(this.config);
    return this.#root;
  }
}

/** The words of a chart, by which its states are written and its machine is made. */
export const setup = ((vocabulary: Vocabulary) => ({
  createMachine: (config: MachineConfig) => new Definition(config, vocabulary),
  createStateConfig: (config: object) => config,
})) as unknown as typeof setupOfXState;

/** An action that changes the context: all of `assignment` at once, from the context as it was before. */
export const assign = ((assignment: unknown): BuiltInAction =>
  Object.assign(() => {}, { type: 'xstate.assign', assignment })) as unknown as typeof assignOfXState;
