/** The other way of a message, in chunks: a lane outside of the loop. */
import type { StateDescription } from '@sansmtp/core/chart';
import { sentenceOf } from '../form/words.js';
import { muted, type Run, refusal, runsWidth, server } from '../svg/scene.js';
import { BELOW, OUTSIDE, RAIL, RIGHT, SIZE, TOP } from './frame.js';
import { CAPTION_SIZE, type Placed, type Sketch, type Station } from './sketch.js';
import type { Alternative } from './way.js';

/** Where a refusal leads to from all of the lane, and which then leads to the rail by whatever comes. */
function isDrain(
  sketch: Sketch,
  state: StateDescription,
  rail: StateDescription | undefined,
  lane: Alternative,
): boolean {
  const into = sketch.form.arrows.filter(({ target, source }) => target === state && source !== state);
  const out = sketch.form.arrows.filter(
    ({ source, target, transition }) =>
      source === state && target !== state && transition.trigger.kind === 'event',
  );
  return (
    into.length > 0 &&
    into.every(({ source }) => lane.states.includes(source)) &&
    out.length > 0 &&
    out.every(({ target }) => target === rail)
  );
}

/** The other way of a message: outside of the loop, and back to its last station from below. */
export function drawOutside(
  sketch: Sketch,
  lane: Alternative,
  placed: readonly Placed[],
  rail: StateDescription | undefined,
): void {
  const stationOf = (state: StateDescription) => placed.find(({ states }) => states.includes(state));
  const folded = placed.find(({ states }) => states.some((state) => lane.states.includes(state)));
  const from = folded ?? stationOf(lane.from);
  const to = stationOf(lane.to);
  if (from === undefined || to === undefined) return;
  const rest = lane.states.filter((state) => !from.states.includes(state));
  const names: Run[] = rest.flatMap((state, index) => [
    ...(index === 0 ? [] : [muted(index === 1 ? ' ⇄ ' : ' → ')]),
    { text: state.key, tone: 'ink' as const },
  ]);
  const width = runsWidth(names, SIZE) + 28;
  const drain = sketch.form.leaves.find((state) => isDrain(sketch, state, rail, lane));
  const all = drain === undefined ? rest : [...rest, drain];
  const station: Station = {
    ...sketch.station(rest[0] as StateDescription, { folded: false, twins: all.slice(1) }),
    width,
  };
  const x = Math.min(RIGHT + 32 - width / 2, 800);
  const pill = sketch.place(station, x, BELOW, [names.map((run) => ({ ...run }))]);
  const weight = 'optional' as const;
  const entering = sketch.form.arrows.filter(
    ({ source, target }) => source === lane.from && target !== undefined && lane.states.includes(target),
  );
  const begin =
    from.y === RAIL
      ? [{ x: from.rect.x + from.width, y: RAIL }]
      : [
          { x: from.x + 22, y: from.rect.y },
          { x: from.x + 22, y: TOP - 50 },
        ];
  const turn = from.y === RAIL ? RAIL : TOP - 50;
  const out = sketch.edge(
    from,
    pill,
    [...begin, { x: OUTSIDE, y: turn }, { x: OUTSIDE, y: BELOW }, { x: pill.rect.x + pill.width, y: BELOW }],
    { weight, also: entering },
  );
  const word: Run = { text: lane.story.word, tone: 'client', mono: true, bold: true };
  const code = sketch.story.foldsQuestions ? [] : [server('250'), muted(' ')];
  if (from.y === RAIL) sketch.words(out, [word], { x: OUTSIDE - 8, y: RAIL + 34 }, { anchor: 'end' });
  else sketch.words(out, [...code, word], { x: OUTSIDE - 110, y: turn - 7 }, { anchor: 'middle' });
  const back = sketch.edge(
    pill,
    to,
    [
      { x: pill.rect.x, y: BELOW },
      { x: to.x, y: BELOW },
      { x: to.x, y: to.rect.y + to.height },
    ],
    { weight },
  );
  const caption =
    sketch.story.edgeCaptions[`${rest[0]?.key} ${lane.to.key}`] ??
    sketch.story.edgeCaptions[`${rest.at(-1)?.key} ${lane.to.key}`];
  if (caption !== undefined)
    sketch.words(back, [muted(caption)], { x: to.x + 12, y: BELOW - 8 }, { size: CAPTION_SIZE });
  drawChunkRow(sketch, pill, all, drain, rail);
}

/** What goes on inside of the lane, in a line below it. */
function drawChunkRow(
  sketch: Sketch,
  pill: Placed,
  states: readonly StateDescription[],
  drain: StateDescription | undefined,
  rail: StateDescription | undefined,
): void {
  const told: Run[] = [server('250'), muted(' after each chunk')];
  if (drain !== undefined) told.push(muted('; '), refusal('5yz'), muted(' draining, then RSET'));
  const within = sketch.form.arrows.filter(
    ({ source, target }) =>
      states.includes(source) && (target === undefined || states.includes(target) || target === rail),
  );
  const y = pill.rect.y + pill.height + 16;
  const width = runsWidth(told, CAPTION_SIZE);
  sketch.marks.push({
    kind: 'row',
    id: 'row-chunks',
    rect: { x: pill.x - width / 2 - 4, y: y - 14, width: width + 8, height: 18 },
    transitions: within.map(({ transition }) => transition.id),
    title: within.map(sentenceOf).join('\n'),
  });
  sketch.words('row-chunks', told, { x: pill.x, y }, { size: CAPTION_SIZE, anchor: 'middle' });
}
