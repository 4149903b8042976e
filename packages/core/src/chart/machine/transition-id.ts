/**
 * What tells a transition from all others of its chart: the state that it stands in, its trigger, and its place among
 * those of the same trigger. The description, the pictures and the records of a live session use the same words.
 */
import { type BuiltInAction, pathOf, type StateNodeShape, type TransitionShape } from './machine-shape.js';

/** What a transition waits for. */
export type TriggerDescription =
  /** `type` may end in a wildcard, such as `command.*`: it is tried after the events that are named in full. */
  | { readonly kind: 'event'; readonly type: string }
  /** One of the state's `deadlines` has passed. */
  | { readonly kind: 'deadline'; readonly delay: string };

/** `session.ready|command.MAIL|2`, `connecting|after decision|0`; the root's path is empty. */
export function transitionIdOf(transition: TransitionShape): string {
  const { source, eventType } = transition;
  const trigger = triggerOf(source, eventType);
  const name = trigger.kind === 'event' ? trigger.type : `after ${trigger.delay}`;
  const place = (source.transitions.get(eventType) ?? []).indexOf(transition);
  return `${pathOf(source)}|${name}|${place}`;
}

export function triggerOf(node: StateNodeShape, eventType: string): TriggerDescription {
  const delay = delaysOf(node).get(eventType);
  return delay === undefined ? { kind: 'event', type: eventType } : { kind: 'deadline', delay };
}

/** XState keeps an `after` as a raise on entry, whose event is named after the state: back to the delay's name. */
export function delaysOf(node: StateNodeShape): ReadonlyMap<string, string> {
  const delays = new Map<string, string>();
  for (const action of node.entry) {
    if (!isBuiltIn(action) || action.event === undefined || action.delay === undefined) continue;
    delays.set(action.event.type, String(action.delay));
  }
  return delays;
}

export function isBuiltIn(action: unknown): action is BuiltInAction {
  return typeof action === 'function' && 'type' in action;
}
