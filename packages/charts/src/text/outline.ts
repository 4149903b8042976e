/** A chart as an indented outline, for the terminal. */
import type { ChartDescription, StateDescription, TransitionDescription } from '@sansmtp/core/chart';
import { effectsOf, sentencesOf, triggersOf } from '../form/wording.js';
import { codesOf, triggerName } from '../form/words.js';
import { storyOf } from '../stories/stories.js';
import { type Level, partsOf } from './parts.js';

export interface OutlineOptions {
  /** @default 'full' */
  readonly level?: Level;
}

/** Writes a chart as text: each state with what it does, indented as states stand in states. */
export function renderOutline(chart: ChartDescription, { level = 'full' }: OutlineOptions = {}): string {
  if (level === 'phases') {
    const parts = partsOf(chart, storyOf(chart));
    return parts
      .map(({ title, states }) =>
        [title, ...states.flatMap((state) => indented(stateLines(chart, state, level)))].join('\n'),
      )
      .join('\n\n')
      .concat('\n');
  }
  return [
    chart.id,
    ...indented(own(chart, chart.root, level)),
    ...chart.root.states.flatMap((state) => indented(tree(chart, state, level))),
    '',
  ].join('\n');
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function tree(chart: ChartDescription, state: StateDescription, level: Level): string[] {
  return [
    ...stateLines(chart, state, level),
    ...state.states.flatMap((inner) => indented(tree(chart, inner, level))),
  ];
}

function stateLines(chart: ChartDescription, state: StateDescription, level: Level): string[] {
  const heading = state.description === undefined ? state.key : `${state.key}: ${state.description}`;
  return [state.kind === 'final' ? `${heading} (end)` : heading, ...indented(own(chart, state, level))];
}

function own(
  chart: ChartDescription,
  { path, entry, exit, transitions }: StateDescription,
  level: Level,
): string[] {
  const keyOf = (target: string) =>
    target === path ? 'again' : target === '' ? chart.id : target.slice(target.lastIndexOf('.') + 1);
  if (level === 'overview') {
    const byTarget = new Map<string, TransitionDescription[]>();
    for (const transition of transitions) {
      if (transition.target === undefined) continue;
      byTarget.set(transition.target, [...(byTarget.get(transition.target) ?? []), transition]);
    }
    return [...byTarget].map(([target, all]) => `→ ${keyOf(target)}: ${triggersOf(all).join(', ')}`);
  }
  const onEntry = effectsOf(entry);
  const onExit = effectsOf(exit);
  return [
    ...(onEntry === '' ? [] : [`entry / ${onEntry}`]),
    ...(onExit === '' ? [] : [`exit / ${onExit}`]),
    ...withReplies(transitions, keyOf),
  ];
}

/** Those that differ in nothing but their trigger in one line, with the codes of their replies. */
function withReplies(
  transitions: readonly TransitionDescription[],
  keyOf: (path: string) => string,
): string[] {
  const byReply = new Map<string, TransitionDescription[]>();
  for (const transition of transitions) {
    const key = `${transition.guard} ${transition.target} ${codesOf(transition).join(' ')} ${effectsOf(transition.actions)}`;
    byReply.set(key, [...(byReply.get(key) ?? []), transition]);
  }
  return [...byReply.values()].flatMap((all) => {
    const codes = [...new Set(all.flatMap(codesOf))].join(' ');
    return sentencesOf(all, keyOf).map((line) =>
      codes === '' || all.every((each) => triggerName(each).startsWith('reply.'))
        ? line
        : `${line} (${codes})`,
    );
  });
}
