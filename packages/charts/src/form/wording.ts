/** Transitions and actions in words, as short as a picture needs them: `event [guard] / effects → target`. */
import type { ActionDescription, TransitionDescription } from '@sansmtp/core';

/**
 * The triggers, each once. Those that differ only behind their last dot stand together, such as
 * `command.EHLO|HELO`, and so do deadlines, such as `after idle|decision`.
 */
export function triggersOf(transitions: readonly TransitionDescription[]): string[] {
  const families = new Map<string, Set<string>>();
  for (const { trigger } of transitions) {
    const name = trigger.kind === 'event' ? trigger.type : `after ${trigger.delay}`;
    const family = /^.*[. ]/.exec(name)?.[0] ?? name;
    const members = families.get(family) ?? new Set();
    families.set(family, members.add(name.slice(family.length)));
  }
  return [...families].map(([family, members]) => family + [...members].join('|'));
}

/** One sentence for all transitions that differ in nothing but their trigger. */
export function sentencesOf(
  transitions: readonly TransitionDescription[],
  nameTarget: (path: string) => string | undefined,
): string[] {
  const byConsequence = new Map<string, TransitionDescription[]>();
  for (const transition of transitions) {
    const { guard, actions, target } = transition;
    const effects = effectsOf(actions);
    const name = target === undefined ? undefined : nameTarget(target);
    let consequence = '';
    if (guard !== undefined) consequence += ` [${guard}]`;
    if (effects !== '') consequence += ` / ${effects}`;
    if (name !== undefined) consequence += ` → ${name}`;
    byConsequence.set(consequence, [...(byConsequence.get(consequence) ?? []), transition]);
  }
  return [...byConsequence].map(([consequence, alike]) => triggersOf(alike).join(', ') + consequence);
}

/** The effects among `actions`, each with its parameters: `reply ok, close`. */
export function effectsOf(actions: readonly ActionDescription[]): string {
  return actions
    .filter(({ kind }) => kind === 'effect')
    .map(({ name, params = {} }) => [name, ...Object.values(params)].join(' '))
    .join(', ');
}
