/**
 * Guards of a chart: by name, or combined from named ones by XState's `and`, `or` and `not`. A picture shows the words
 * of a guard, the table asks its function, and both are made here from the same reference.
 */

import { argumentsOf } from './arguments.js';
import {
  type Arguments,
  type ChartEvent,
  type MachineShape,
  named,
  type StateNodeShape,
  UnsupportedChartError,
} from './machine-shape.js';

export type Guard = (context: unknown, event: ChartEvent) => boolean;

/** How several guards make up one. */
export interface GuardCombination {
  readonly kind: 'and' | 'or' | 'not';
  /** A name, or a combination in its turn; one only for `not`. */
  readonly guards: readonly (string | GuardCombination)[];
}

/** XState's combinations are functions that carry what they combine. */
interface CombinedGuard {
  readonly check: (snapshot: unknown, args: unknown, combined: unknown) => boolean;
  readonly guards: readonly unknown[];
}

/** `patient`, `atLeast(3)`, `patient and not late`: the words by which pictures, traces and people know a guard. */
export function wordsOfGuard(node: StateNodeShape, guard: unknown): string {
  const structure = structureOfGuard(node, guard);
  return typeof structure === 'string' ? structure : wordsOf(structure);
}

/** The name of a guard, or how it is combined. */
export function structureOfGuard(node: StateNodeShape, guard: unknown): string | GuardCombination {
  if (isCombined(guard)) {
    return {
      kind: kindOf(node, guard),
      guards: guard.guards.map((each) => structureOfGuard(node, each)),
    };
  }
  const { name, params } = named(node, 'guard', guard);
  return typeof params === 'object' && params !== null
    ? `${name}(${Object.values(params).map(String).join(', ')})`
    : name;
}

function wordsOf({ kind, guards }: GuardCombination): string {
  const words = guards.map((guard) => {
    if (typeof guard === 'string') return guard;
    return guard.kind === 'not' ? wordsOf(guard) : `(${wordsOf(guard)})`;
  });
  return kind === 'not' ? `not ${words.join('')}` : words.join(` ${kind} `);
}

/** Compiles a reference to a guard; one that `setup` names may be a combination too. */
export function compileGuard(machine: MachineShape, node: StateNodeShape, guard: unknown): Guard {
  if (isCombined(guard)) {
    const parts = guard.guards.map((each) => compileGuard(machine, node, each));
    switch (kindOf(node, guard)) {
      case 'and':
        return (context, event) => parts.every((part) => part(context, event));
      case 'or':
        return (context, event) => parts.some((part) => part(context, event));
      case 'not':
        return (context, event) => !parts.every((part) => part(context, event));
    }
  }
  const { name, params } = named(node, 'guard', guard);
  const implementation = machine.implementations.guards[name];
  if (isCombined(implementation)) return compileGuard(machine, node, implementation);
  if (typeof implementation !== 'function' || 'check' in implementation) {
    throw new UnsupportedChartError(node, `the guard "${name}" (not a plain function)`);
  }
  const test = implementation as (args: Arguments, params: unknown) => boolean;
  if (typeof params !== 'function') return (context, event) => test(argumentsOf(context, event), params);
  const compute = params as (args: Arguments) => unknown;
  return (context, event) => {
    const computed = compute(argumentsOf(context, event));
    return test(argumentsOf(context, event), computed);
  };
}

function isCombined(guard: unknown): guard is CombinedGuard {
  return (
    typeof guard === 'function' &&
    'check' in guard &&
    typeof guard.check === 'function' &&
    'guards' in guard &&
    Array.isArray(guard.guards)
  );
}

/** By what it answers, not by the name of XState's function, which a bundler may have changed. */
function kindOf(node: StateNodeShape, { check }: CombinedGuard): GuardCombination['kind'] {
  const snapshot = { machine: { implementations: { guards: {} } } };
  const answers = (...guards: readonly (() => boolean)[]) => check(snapshot, {}, { guards });
  const yes = () => true;
  const no = () => false;
  if (!answers(yes)) return 'not';
  if (!answers(yes, no)) return 'and';
  if (!answers(no, no)) return 'or';
  throw new UnsupportedChartError(node, 'a guard that is no and, or, or not');
}
