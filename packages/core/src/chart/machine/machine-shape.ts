/**
 * What the compiler and the description read of an XState machine: the part of `machine.root` and its
 * implementations that stands in XState's documentation, in types narrow enough that nothing else is relied on. Not
 * XState's own: they would come with this package's declarations into every program that is compiled with them.
 */

/** The arguments XState gives to guards, assigns and functions that compute parameters. */
export interface Arguments {
  readonly context: unknown;
  readonly event: ChartEvent;
}

export interface ChartEvent {
  readonly type: string;
}

/** The built-in actions of XState are functions that carry their description as properties. */
export interface BuiltInAction {
  readonly type: string;
  readonly assignment?: unknown;
  readonly event?: { readonly type: string };
  readonly id?: string;
  readonly delay?: unknown;
  readonly sendId?: string;
}

export interface TransitionShape {
  readonly target?: readonly StateNodeShape[];
  readonly source: StateNodeShape;
  readonly actions: readonly unknown[];
  readonly guard?: unknown;
  readonly reenter: boolean;
  readonly eventType: string;
  readonly description?: string;
  readonly meta?: unknown;
}

export interface StateNodeShape {
  readonly id: string;
  readonly key: string;
  readonly path: readonly string[];
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly parent?: StateNodeShape;
  readonly states: Readonly<Record<string, StateNodeShape>>;
  readonly initial?: { readonly target: readonly StateNodeShape[]; readonly actions: readonly unknown[] };
  readonly entry: readonly unknown[];
  readonly exit: readonly unknown[];
  readonly invoke: readonly unknown[];
  readonly always?: readonly unknown[];
  readonly transitions: ReadonlyMap<string, readonly TransitionShape[]>;
  readonly description?: string;
  readonly meta?: unknown;
  readonly config: { readonly onDone?: unknown };
}

export interface MachineShape {
  readonly id: string;
  readonly root: StateNodeShape;
  readonly config: { readonly context?: unknown };
  readonly implementations: {
    readonly actions: Readonly<Record<string, unknown>>;
    readonly guards: Readonly<Record<string, unknown>>;
    readonly delays: Readonly<Record<string, unknown>>;
  };
}

/** The machine as it is read here. XState types the same nodes by generics that nothing else can name. */
export function shapeOf(machine: Readonly<Record<keyof MachineShape, unknown>>): MachineShape {
  return machine as unknown as MachineShape;
}

/** The dotted path of a state, as `ChartState.value` gives it. */
export function pathOf(node: StateNodeShape): string {
  return node.path.join('.');
}

/** Says what a chart uses that the compiler does not support. Thrown when the chart is compiled. */
export class UnsupportedChartError extends Error {
  override readonly name = 'UnsupportedChartError';

  constructor(where: StateNodeShape | MachineShape, feature: string) {
    super(`${where.id}: ${feature} is not supported by the chart compiler`);
  }
}

/** Reads a reference to a named action or guard; inline functions have no name for a picture to show. */
export function named(
  where: StateNodeShape,
  kind: 'action' | 'guard',
  value: unknown,
): { name: string; params: unknown } {
  if (typeof value === 'string') return { name: value, params: undefined };
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
    return { name: value.type, params: 'params' in value ? value.params : undefined };
  }
  throw new UnsupportedChartError(where, `an inline ${kind}`);
}
