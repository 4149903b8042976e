/** One way in which a chart may go on from a leaf state at an event: what the compiler makes of a transition. */

import type { Guard } from '../machine/guards.js';
import type { Effect, Operation } from './operations.js';
import type { TransitionExplanation } from './transition-record.js';

export interface Candidate {
  readonly guard: Guard | undefined;
  readonly guardName: string;
  readonly operations: readonly Operation[];
  /** Undefined: the leaf stays, and nothing is left or entered. */
  readonly target: string | undefined;
  readonly path: Omit<TransitionExplanation, 'guards'>;
  /** The operations once more, as `runner.ts` runs them. */
  readonly ready: Ready;
}

/** Operations cut into what is known before the transition is taken, and what is not. */
export interface Ready {
  /** All effects, those that are not known yet as they were the last time. Never written into, but replaced. */
  effects: readonly Effect[];
  /** The leaf state at the target, from when it was first entered by this way. */
  leaf: unknown;
  readonly rest: readonly Pending[];
  /** The context is written into. */
  readonly assigns: boolean;
}

/** An operation that has to be looked at each time; `place`: that of its effect among all of the candidate. */
type Pending = Exclude<Operation, { readonly kind: 'effect' }> & { readonly place: number };

const NOT_YET: Effect = Object.freeze({ type: '', params: undefined });

export function makeReady(operations: readonly Operation[]): Ready {
  const effects: Effect[] = [];
  const rest: Pending[] = [];
  for (const operation of operations) {
    if (operation.kind !== 'effect') rest.push({ ...operation, place: effects.length });
    if (operation.kind !== 'assign') effects.push(operation.kind === 'effect' ? operation.effect : NOT_YET);
  }
  return { effects, leaf: undefined, rest, assigns: rest.some(({ kind }) => kind === 'assign') };
}
