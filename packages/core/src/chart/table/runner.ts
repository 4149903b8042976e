/**
 * A chart that runs: what `step()` of `compile.ts` does, in place.
 *
 * - Equal to `step()`, transition for transition: same guards, state, context and effects, in the same order. The
 *   comparison with XState's own `transition()` runs over both.
 * - Faster, for it makes nothing anew that it has already: the context is copied once and then written into, and the
 *   effects of a transition stand in an array that is ready, shared by all runners of the chart and never written into.
 *   A new one is made only where an effect depends on the event, or where a delay differs from that of the last time.
 */

import { forgetArguments } from '../machine/arguments.js';
import type { ChartEvent } from '../machine/machine-shape.js';
import type { Candidate, Ready } from './candidate.js';
import type { Effect } from './operations.js';

/** One session's place in a chart. What it knows of a leaf state, only the compiler can read. */
export class ChartRunner<Context, Event extends ChartEvent> {
  readonly #leafAt: (value: string) => unknown;
  readonly #candidatesFor: (leaf: unknown, event: ChartEvent) => readonly Candidate[];
  /** That with which it began, until it is first written into. */
  #context: Context;
  #isOwn = false;
  #value: string;
  #leaf: unknown;

  constructor(
    { value, context }: { readonly value: string; readonly context: Context },
    leafAt: (value: string) => unknown,
    candidatesFor: (leaf: unknown, event: ChartEvent) => readonly Candidate[],
  ) {
    this.#leafAt = leafAt;
    this.#candidatesFor = candidatesFor;
    this.#context = context;
    this.#value = value;
    this.#leaf = leafAt(value);
  }

  /** The leaf state as a dotted path, such as `session.transaction.opened`. */
  get value(): string {
    return this.#value;
  }

  /** Where the chart stands now; no later step changes it. */
  position(): { readonly value: string; readonly context: Context } {
    return { value: this.#value, context: { ...this.#context } };
  }

  /** Whether `step` would take a transition for `event`; nothing is changed. */
  takes(event: Event | ChartEvent): boolean {
    for (const { guard } of this.#candidatesFor(this.#leaf, event)) {
      if (guard === undefined || guard(this.#context, event)) return true;
    }
    return false;
  }

  /** Takes the transition for `event`, and gives its effects in order; undefined if the chart has none in this state. */
  step(event: Event | ChartEvent): readonly Effect[] | undefined {
    for (const { guard, target, ready } of this.#candidatesFor(this.#leaf, event)) {
      if (guard !== undefined && !guard(this.#context, event)) continue;
      if (ready.assigns && !this.#isOwn) {
        this.#context = { ...this.#context };
        this.#isOwn = true;
      }
      const effects = ready.rest.length === 0 ? ready.effects : performed(ready, this.#context, event);
      if (target !== undefined) {
        this.#value = target;
        ready.leaf ??= this.#leafAt(target);
        this.#leaf = ready.leaf;
      }
      forgetArguments();
      return effects;
    }
    forgetArguments();
    return undefined;
  }
}

function performed(ready: Ready, context: unknown, event: ChartEvent): readonly Effect[] {
  const { effects, rest } = ready;
  let changed: Effect[] | undefined;
  let lasts = true;
  for (const operation of rest) {
    if (operation.kind === 'assign') {
      operation.change(context, event);
      continue;
    }
    const effect = operation.effectFor(context, event);
    if (effect === effects[operation.place]) continue;
    changed ??= [...effects];
    changed[operation.place] = effect;
    // What comes from an event may be a secret, or large: it does not stay here.
    lasts &&= operation.lasting;
  }
  if (changed === undefined) return effects;
  if (lasts) ready.effects = changed;
  return changed;
}
