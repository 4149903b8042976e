/** Transitions in words, for titles and tables. */
import type { StateDescription, TransitionDescription } from '@sansmtp/core/chart';
import type { Arrow } from './chart.js';
import { effectsOf } from './wording.js';

/** `after idle`, `command.MAIL`. */
export function triggerName({ trigger }: TransitionDescription): string {
  return trigger.kind === 'event' ? trigger.type : `after ${trigger.delay}`;
}

/** All of one transition, in one line: what triggers it, its guard, effects and reply, where it leads, and why. */
export function sentenceOf({ transition, source, target }: Arrow): string {
  const effects = effectsOf(transition.actions);
  const codes = codesOf(transition).join(' ');
  const from = source.path === '' ? 'anywhere' : source.path;
  const reason = [...new Set(transition.references ?? [])].join(', ') || transition.description;
  return [
    `${from}: ${triggerName(transition)}`,
    transition.guard === undefined ? '' : ` [${transition.guard}]`,
    effects === '' ? '' : ` / ${effects}`,
    codes === '' ? '' : ` (${codes})`,
    target === undefined ? '' : ` → ${target.path}`,
    reason === undefined ? '' : ` — ${reason}`,
  ].join('');
}

/** The codes of the replies, each once. */
export function codesOf({ replies = [] }: TransitionDescription): readonly string[] {
  return [...new Set(replies.map(({ code }) => code))];
}

/** `RFC 5321 §3.3, §4.1.1.2; RFC 1870 §6.1`: each document once. */
export function citationOf(references: readonly string[] = []): string {
  const byDocument = new Map<string, string[]>();
  for (const reference of references) {
    const [, document = reference, section] = /^(RFC \d+) (.*)$/.exec(reference) ?? [];
    byDocument.set(document, [...(byDocument.get(document) ?? []), ...(section ? [section] : [])]);
  }
  return [...byDocument]
    .map(([document, sections]) => [document, sections.join(', ')].join(' ').trim())
    .join('; ');
}

/** The state's name and what the chart says of it. */
export function stateTitle({ path, description }: StateDescription): string {
  return description === undefined ? path : `${path}: ${description}`;
}
