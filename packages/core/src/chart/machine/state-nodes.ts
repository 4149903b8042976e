/**
 * The states of a chart, made of its configuration as XState makes its own: the same ids, targets and order. Equal to
 * `machine.root` of the same configuration in XState, node by node, in all that `MachineShape` names; a property of
 * `definition.test.ts` compares them.
 */
import type { BuiltInAction, StateNodeShape, TransitionShape } from './machine-shape.js';

/** A state as a chart's author writes it. What of it may be one or several is an array or the one. */
interface StateConfig {
  readonly id?: string;
  readonly type?: StateNodeShape['type'];
  readonly initial?: string;
  readonly entry?: unknown;
  readonly exit?: unknown;
  readonly invoke?: unknown;
  readonly always?: unknown;
  readonly onDone?: unknown;
  readonly on?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly states?: Readonly<Record<string, StateConfig>>;
  readonly description?: string;
  readonly meta?: unknown;
}

export interface MachineConfig extends StateConfig {
  readonly id: string;
  readonly context?: unknown;
}

interface TransitionConfig {
  readonly target?: string;
  readonly actions?: unknown;
  readonly guard?: unknown;
  readonly reenter?: boolean;
  readonly description?: string;
  readonly meta?: unknown;
}

export function rootNodeOf(config: MachineConfig): StateNodeShape {
  return new StateNode(config, config.id, undefined, new Map());
}

class StateNode implements StateNodeShape {
  readonly id: string;
  readonly key: string;
  readonly path: readonly string[];
  readonly type: StateNodeShape['type'];
  readonly parent?: StateNode;
  readonly states: Readonly<Record<string, StateNode>>;
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly unknown[];
  readonly always?: readonly unknown[];
  readonly description?: string;
  readonly meta?: unknown;
  readonly config: StateConfig;
  readonly #byId: Map<string, StateNode>;
  #transitions: ReadonlyMap<string, readonly TransitionShape[]> | undefined;

  constructor(config: StateConfig, key: string, parent: StateNode | undefined, byId: Map<string, StateNode>) {
    this.config = config;
    this.key = key;
    this.path = parent === undefined ? [] : [...parent.path, key];
    this.id = config.id ?? (parent === undefined ? key : `${rootOf(parent).id}.${this.path.join('.')}`);
    this.type = config.type ?? (Object.keys(config.states ?? {}).length > 0 ? 'compound' : 'atomic');
    if (parent !== undefined) this.parent = parent;
    if (config.description !== undefined) this.description = config.description;
    if (config.meta !== undefined) this.meta = config.meta;
    if (config.always !== undefined) this.always = listOf(config.always);
    this.invoke = listOf(config.invoke);
    const deadlines = Object.keys(config.after ?? {}).map((delay) => delayOf(delay));
    this.entry = [...listOf(config.entry), ...deadlines.map((delay) => begin(this.#deadline(delay), delay))];
    this.exit = [...listOf(config.exit), ...deadlines.map((delay) => end(this.#deadline(delay)))];
    this.#byId = byId.set(this.id, this);
    this.states = Object.fromEntries(
      Object.entries(config.states ?? {}).map(([name, child]) => [
        name,
        new StateNode(child, name, this, byId),
      ]),
    );
  }

  get initial(): { readonly target: readonly StateNode[]; readonly actions: readonly unknown[] } {
    const child = this.states[this.config.initial ?? ''];
    return { target: child === undefined ? [] : [child], actions: [] };
  }

  /** By event type, deadlines last. They are made when they are first asked for: their targets are then all there. */
  get transitions(): ReadonlyMap<string, readonly TransitionShape[]> {
    this.#transitions ??= new Map([
      ...Object.entries(this.config.on ?? {}).map(([type, given]) => this.#transitionsOf(type, given)),
      ...Object.entries(this.config.after ?? {}).map(([delay, given]) =>
        this.#transitionsOf(this.#deadline(delayOf(delay)), given),
      ),
    ]);
    return this.#transitions;
  }

  #transitionsOf(eventType: string, given: unknown): [string, readonly TransitionShape[]] {
    const transitions = listOf(given ?? {}).map((one): TransitionShape => {
      const config = (typeof one === 'string' ? { target: one } : one) as TransitionConfig;
      const { target, reenter = false } = config;
      return {
        ...config,
        source: this,
        eventType,
        reenter,
        actions: listOf(config.actions),
        ...(target !== undefined && { target: [this.#stateAt(target)] }),
      } as TransitionShape;
    });
    return [eventType, transitions];
  }

  /** A target: `#id`, `.child`, or the name of a sibling; the latter two may go on downwards. */
  #stateAt(target: string): StateNode {
    const inside = target.startsWith('.');
    const from = inside ? this : this.parent;
    const found = target.startsWith('#')
      ? this.#stateById(target.slice(1))
      : descend(from, (inside ? target.slice(1) : target).split('.'));
    if (found === undefined) throw new RangeError(`${this.id}: there is no state "${target}" to go to`);
    return found;
  }

  /** An id that goes on downwards is one as well: `#chart.state` without an id of its own is the state's. */
  #stateById(id: string): StateNode | undefined {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const [first = '', ...rest] = id.split('.');
    return descend(this.#byId.get(first), rest);
  }

  /** The event that the chart is stepped with when this state's deadline is due. */
  #deadline(delay: string | number): string {
    return `xstate.after.${delay}.${this.id}`;
  }
}

function rootOf(node: StateNode): StateNode {
  return node.parent === undefined ? node : rootOf(node.parent);
}

function descend(from: StateNode | undefined, keys: readonly string[]): StateNode | undefined {
  return keys.reduce<StateNode | undefined>((node, key) => node?.states[key], from);
}

function listOf(given: unknown): readonly unknown[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : [given];
}

/** The name of a delay, or milliseconds. */
function delayOf(key: string): string | number {
  return Number.isNaN(Number(key)) ? key : Number(key);
}

function begin(id: string, delay: string | number): BuiltInAction {
  return Object.assign(() => {}, { type: 'xstate.raise', event: { type: id }, id, delay });
}

function end(id: string): BuiltInAction {
  return Object.assign(() => {}, { type: 'xstate.cancel', sendId: id });
}
