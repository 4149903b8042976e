/**
 * What a state does with each event, as rows of a table, in order of trial.
 *
 * - Triggers share their rows only if all rows of the one agree with all of the other: else the order of trial would be lost.
 * - What ends the session stands at the end, one row for all that end it in the same way.
 */
import type { StateDescription, TransitionDescription } from '@sansmtp/core/chart';
import type { Form } from '../form/chart.js';
import { effectsOf } from '../form/wording.js';
import { citationOf, codesOf, triggerName } from '../form/words.js';
import type { Story } from '../stories/story.js';
import { client, ink, muted, type Run, refusal, server, strong } from '../svg/scene.js';

/** A row of a state's table, one entry a column. */
export interface StateRow {
  readonly transitions: readonly TransitionDescription[];
  readonly on: readonly Run[];
  readonly guard: readonly Run[];
  readonly said: readonly Run[];
  readonly then: readonly Run[];
  readonly source: readonly Run[];
}

/** @param states one, or several that do all the same: only their replies may differ */
export function rowsOf(
  form: Form,
  story: Story | undefined,
  states: readonly StateDescription[],
  only?: RegExp,
): StateRow[] {
  const [state] = states as readonly [StateDescription, ...StateDescription[]];
  const transitions = state.transitions.filter((each) => only === undefined || only.test(triggerName(each)));
  const ends = ({ target }: TransitionDescription) => target !== undefined && isEnding(form, target);
  const going = transitions.filter((transition) => !ends(transition));
  const ending = transitions.filter(ends);
  const endings = groupBy(ending, (transition) =>
    JSON.stringify([transition.target, codesOf(transition), effectsOf(transition.actions)]),
  );
  return [
    ...agreeing(going, triggerName)
      .flatMap(inThrees)
      .flatMap((group) => {
        const [first = []] = group;
        return first.map((transition, place) => {
          const all = group.map((each) => each[place] ?? transition);
          return row(form, story, states, all, all.map(triggerRuns(story)));
        });
      }),
    ...[...endings.values()].map((all) =>
      row(form, story, states, all, uniqueRuns(all.map(triggerRuns(story)))),
    ),
  ];
}

/** The same transitions in each of the states that do all the same. */
function ofTwins(
  [first, ...others]: readonly StateDescription[],
  transitions: readonly TransitionDescription[],
): readonly TransitionDescription[] {
  return transitions.flatMap((transition) => {
    const place = first?.transitions.indexOf(transition) ?? -1;
    return [transition, ...others.flatMap((twin) => twin.transitions[place] ?? [])];
  });
}

/** So that no row is too wide. */
function inThrees<Item>(items: readonly Item[]): Item[][] {
  const rows: Item[][] = [];
  for (let begin = 0; begin < items.length; begin += 3) rows.push(items.slice(begin, begin + 3));
  return rows;
}

/** What goes too far once too often may be any of the above. */
function shortened(
  triggers: readonly (readonly Run[])[],
  transitions: readonly TransitionDescription[],
): readonly Run[] {
  if (transitions.every(({ guard = '' }) => /OnceTooOften$|^lastError$/.test(guard)))
    return [muted('any of these')];
  return spaced([...triggers.slice(0, 2), [muted('…')]]);
}

/** It is the end, or the way to it. */
export function isEnding(form: Form, path: string): boolean {
  const { kind, deadlines } = form.state(path);
  return kind === 'final' || deadlines.includes('linger');
}

/** The transitions of each trigger; those of triggers that agree in all of them together. */
function agreeing(
  transitions: readonly TransitionDescription[],
  nameOf: (transition: TransitionDescription) => string,
): TransitionDescription[][][] {
  const byTrigger = [...groupBy(transitions, nameOf).values()];
  const alike = groupBy(byTrigger, (group) =>
    JSON.stringify(
      group.map((each) => [
        each.guard,
        each.target,
        each.reenter,
        effectsOf(each.actions),
        codesOf(each).filter((code) => !/^[24]..$|yz/.test(code)),
      ]),
    ),
  );
  return [...alike.values()];
}

function row(
  form: Form,
  story: Story | undefined,
  states: readonly StateDescription[],
  transitions: readonly TransitionDescription[],
  triggers: readonly (readonly Run[])[],
): StateRow {
  const [first] = transitions as readonly [TransitionDescription, ...TransitionDescription[]];
  const targetState = first.target === undefined ? undefined : form.leafOf(first.target);
  const isMain = targetState !== undefined && !isEnding(form, targetState.path) && !isNo(first);
  const then: Run[] =
    targetState === undefined
      ? [muted('stays')]
      : states.length === 1 && targetState === states[0]
        ? [muted('↻ again')]
        : [isMain ? strong(`→ ${targetState.key}`) : muted(`→ ${targetState.key}`)];
  const all = ofTwins(states, transitions);
  return {
    transitions: all,
    on: triggers.length > 3 ? shortened(triggers, transitions) : spaced(triggers),
    guard: guardRuns(transitions),
    said: saidRuns(story, all, targetState),
    then,
    source: [muted(brief(shared(transitions)) || (first.description ?? ''))],
  };
}

/** The sections, without the word RFC that stands above them; all of them stand in the row's title. */
function brief(references: readonly string[]): string {
  const shown = references.filter((each) => each.startsWith('RFC')).slice(0, 4);
  const others = [
    ...new Set(references.filter((each) => !each.startsWith('RFC')).map((each) => each.replace(/ .*/, ''))),
  ];
  return [citationOf(shown).replaceAll('RFC ', ''), ...others].filter(Boolean).join('; ');
}

const isNo = ({ trigger }: TransitionDescription): boolean =>
  trigger.kind === 'event' && trigger.type === 'rejected';

function shared(transitions: readonly TransitionDescription[]): readonly string[] {
  return [...new Set(transitions.flatMap(({ references = [] }) => references))];
}

/** In the words of the wire, where there are any; a decision of ours is yes or no. */
function triggerRuns(story: Story | undefined): (transition: TransitionDescription) => readonly Run[] {
  return (transition) => {
    const name = triggerName(transition);
    if (story === undefined || transition.trigger.kind === 'deadline') return [ink(name)];
    if (name === 'accepted') return [server('yes')];
    if (name === 'rejected') return [refusal('no')];
    if (!story.foldsQuestions) {
      const codes = codesOf(transition);
      return codes.length === 0
        ? [ink(name)]
        : codes.map((code) => (/^[45]/.test(code) && code !== '421' ? refusal(code) : server(code)));
    }
    const commands = transition.commands ?? [];
    if (name === 'command.extension') return [ink('extension')];
    return commands.length === 0
      ? [ink(name)]
      : [client(commands.map((each) => (each === '…' ? 'other' : each)).join(' '))];
  };
}

function guardRuns(transitions: readonly TransitionDescription[]): readonly Run[] {
  const guards = [...new Set(transitions.map(({ guard }) => guard ?? ''))];
  const often = guards.filter((guard) => /OnceTooOften$|^lastError$/.test(guard));
  const rest = guards.filter((guard) => guard !== '' && !often.includes(guard));
  const words = [...rest, ...(often.length > 0 ? ['once too often'] : [])];
  return words.length === 0
    ? []
    : [ink(words.length > 2 ? `${words.slice(0, 2).join(', ')}, …` : words.join(', '))];
}

/** A server replies; a client says the next command; other machines do what they do. */
function saidRuns(
  story: Story | undefined,
  transitions: readonly TransitionDescription[],
  target: StateDescription | undefined,
): readonly Run[] {
  if (story === undefined) {
    const effects = [...new Set(transitions.map(({ actions }) => effectsOf(actions)))]
      .filter(Boolean)
      .join('; ');
    return effects === '' ? [] : [ink(effects)];
  }
  if (!story.foldsQuestions)
    return spaced((target?.commands ?? []).slice(0, 2).map((word) => [client(word)]));
  const codes = [...new Set(transitions.flatMap(codesOf))];
  return codes.length === 0
    ? []
    : spaced(codes.map((code) => [/^[45]/.test(code) && code !== '421' ? refusal(code) : server(code)]));
}

function uniqueRuns(all: readonly (readonly Run[])[]): (readonly Run[])[] {
  return [...new Map(all.map((runs) => [JSON.stringify(runs), runs])).values()];
}

function spaced(parts: readonly (readonly Run[])[]): Run[] {
  const space: Run = { text: ' ', tone: 'muted', mono: true };
  return parts.flatMap((part, index) => (index === 0 ? [...part] : [space, ...part]));
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
