/**
 * Which part each state has in the overview, by DRAWING's rules: the happy way from the first state to where it comes back
 * to itself, the hub; the ways off it; the states that a refusal leads through; and the end.
 */
import type { StateDescription } from '@sansmtp/core/chart';
import { type Arrow, type Form, isWithin, lineageOf } from '../form/chart.js';
import { triggerName } from '../form/words.js';
import type { AlternativeStory, Story } from '../stories/story.js';

export interface Way {
  /** From the first state to the one before the hub. */
  readonly column: readonly StateDescription[];
  readonly hub: StateDescription;
  /** After the hub, in order. */
  readonly loop: readonly StateDescription[];
  readonly alternatives: readonly Alternative[];
  /** Where a refusal leads before it leads to the hub. */
  readonly rail: readonly StateDescription[];
  /** Where the first state leads by a refusal. */
  readonly aside: StateDescription;
}

export interface Alternative {
  readonly story: AlternativeStory;
  /** The state of the way that it leaves, and the one that it comes back to. */
  readonly from: StateDescription;
  readonly to: StateDescription;
  readonly states: readonly StateDescription[];
  /** Present: the composite that all of them stand in. */
  readonly composite?: StateDescription;
}

export const isRefusal = (story: Story, { transition }: Arrow): boolean =>
  transition.trigger.kind === 'deadline' || story.refusals.includes(triggerName(transition));

/** The client's words that go with a transition: its trigger at a server, what its target says at a client. */
export function wordsOf({ transition, target }: Arrow): readonly string[] {
  return [...(transition.commands ?? []), ...(target?.commands ?? [])];
}

export function wayOf(form: Form, story: Story): Way {
  const first = form.state(form.chart.root.initial ?? '');
  const start = form.leafOf(first.path);
  const way = [start];
  let words = story.words;
  let hub: StateDescription | undefined;
  while (hub === undefined) {
    const here = way.at(-1) ?? start;
    const next = nextOf(form, story, here, words[0]);
    if (next.target === undefined) throw new RangeError(`The way of "${form.chart.id}" ends in ${here.path}`);
    if (wordsOf(next).includes(words[0] ?? '')) words = words.slice(1);
    if (way.includes(next.target)) hub = next.target;
    else way.push(next.target);
  }
  const place = way.indexOf(hub);
  const home = hub;
  const alternatives = story.alternatives.map((each) => alternativeOf(form, story, each, way, home));
  const known = new Set([...way, ...alternatives.flatMap(({ states }) => states)]);
  const rail = railOf(form, story, way.slice(place + 1), hub, known);
  const aside = form
    .arrowsFrom(start)
    .find(
      (arrow) =>
        isRefusal(story, arrow) &&
        arrow.target !== undefined &&
        isDialogue(form, arrow.target) &&
        !known.has(arrow.target),
    )?.target;
  if (aside === undefined) throw new RangeError(`${start.path} leads nowhere by a refusal`);
  return { column: way.slice(0, place), hub, loop: way.slice(place + 1), alternatives, rail, aside };
}

/** It is neither the end nor on the way to it. */
function isDialogue(form: Form, state: StateDescription): boolean {
  return state.kind !== 'final' && !state.deadlines.includes('linger') && state !== form.chart.root;
}

/** The one with the next word, else the last that leads on: guards before it are for exceptions. */
function nextOf(form: Form, story: Story, state: StateDescription, word: string | undefined): Arrow {
  const candidates = form
    .arrowsFrom(state)
    .filter((arrow) => arrow.target !== undefined && arrow.target !== state && isDialogue(form, arrow.target))
    .filter((arrow) => !isRefusal(story, arrow));
  const withWord = candidates.filter((arrow) => word !== undefined && wordsOf(arrow).includes(word));
  const own = candidates.filter(
    ({ source, transition }) => source === state && (transition.commands ?? []).length === 0,
  );
  const next =
    withWord.findLast(({ transition }) => transition.guard === undefined) ?? withWord.at(-1) ?? own.at(-1);
  if (next === undefined) throw new RangeError(`Nothing leads on from ${state.path}, not even ${word}`);
  return next;
}

/** What begins with a word, and what is reached from there without a refusal, to where it meets the way again. */
function alternativeOf(
  form: Form,
  story: Story,
  alternative: AlternativeStory,
  way: readonly StateDescription[],
  hub: StateDescription,
): Alternative {
  const isOff = ({ target }: Arrow) =>
    target !== undefined && !way.includes(target) && isDialogue(form, target);
  const begins = (state: StateDescription) =>
    form
      .arrowsFrom(state)
      .filter(
        (arrow) => isOff(arrow) && !isRefusal(story, arrow) && startsWith(form, arrow, alternative.word),
      )
      .at(-1);
  // A command that is taken in many states is drawn from the hub.
  const beginners = way.filter((state) => begins(state) !== undefined);
  const from =
    beginners.find((state) => begins(state)?.source === state) ?? beginners.find((state) => state === hub);
  const first = from === undefined ? undefined : begins(from)?.target;
  if (from === undefined || first === undefined) {
    throw new RangeError(`"${form.chart.id}" has no way that begins with ${alternative.word}`);
  }
  const states = [first];
  const back: StateDescription[] = [];
  for (const state of states) {
    for (const arrow of form.arrowsFrom(state)) {
      if (arrow.target === undefined || isRefusal(story, arrow) || arrow.source !== state) continue;
      if (way.includes(arrow.target)) back.push(arrow.target);
      else if (isOff(arrow) && !states.includes(arrow.target)) states.push(arrow.target);
    }
  }
  const composite = lineageOf(first.path)
    .slice(1)
    .find((path) => path !== '' && !way.some((state) => isWithin(state.path, path)));
  return {
    story: alternative,
    from,
    to: back.find((state) => state !== hub) ?? back[0] ?? from,
    states: composite === undefined ? states : form.leaves.filter(({ path }) => isWithin(path, composite)),
    ...(composite !== undefined && { composite: form.state(composite) }),
  };
}

/** At a client the word may be said by a state that follows, such as AUTH once its mechanism has prepared it. */
function startsWith(form: Form, arrow: Arrow, word: string): boolean {
  if (wordsOf(arrow).includes(word)) return true;
  const { target } = arrow;
  if (target === undefined || (target.commands ?? []).length > 0) return false;
  const composite = target.path.slice(0, Math.max(target.path.lastIndexOf('.'), 0));
  return form
    .arrowsFrom(target)
    .some(
      (next) =>
        next.source === target &&
        isWithin(next.target?.path ?? '', composite) &&
        composite !== '' &&
        wordsOf(next).includes(word),
    );
}

function railOf(
  form: Form,
  story: Story,
  loop: readonly StateDescription[],
  hub: StateDescription,
  known: ReadonlySet<StateDescription>,
): StateDescription[] {
  const targets = loop.flatMap((state) => form.arrowsFrom(state).map(({ target }) => target));
  return [...new Set(targets)].filter(
    (state): state is StateDescription =>
      state !== undefined &&
      !known.has(state) &&
      state.commands !== undefined &&
      form.arrowsFrom(state).some((arrow) => arrow.target === hub && !isRefusal(story, arrow)),
  );
}
