import { muted, type Run, refusal, server } from '../svg/scene.js';
import { HUB } from './column.js';
import { BOTTOM, PANEL, RAIL, TOP } from './frame.js';
import { CAPTION_SIZE, left, type Placed, right, type Sketch, type Station } from './sketch.js';
import { isRefusal, type Way } from './way.js';

/** From the right to the hub; what is refused above or below falls onto it. */
export function drawRail(sketch: Sketch, way: Way, placed: readonly Placed[], hub: Placed): void {
  const top = placed.slice(0, -3);
  const [initiating, , committing] = placed.slice(-3) as [Placed, Placed, Placed];
  const [resetting] = way.rail;
  const weight = 'refusal' as const;
  const drop = top.find(
    (station) =>
      resetting !== undefined &&
      sketch.form
        .arrowsFrom(station.states[0] as never)
        .some(({ target, source }) => target === resetting && source === station.states[0]),
  );
  const stop =
    resetting === undefined
      ? undefined
      : sketch.place(sketch.station(resetting, { folded: false }), drop?.x ?? 640, RAIL);
  const end = stop ?? hub;

  const toEnd = sketch.arrowsBetween(initiating, hub, true);
  const rail = sketch.edge(initiating, end, [left(initiating), right(end)], {
    weight,
    also: stop === undefined ? resets(sketch, hub) : toEnd,
  });
  const railCodes = sketch
    .said(initiating, stop ?? hub, { refusing: true })
    .filter(({ tone }) => tone === 'muted')
    .slice(0, 1);
  sketch.words(rail, railCodes, { x: initiating.rect.x - 8, y: RAIL - 8 }, { anchor: 'end' });
  if (stop !== undefined && drop !== undefined) {
    const fall = sketch.edge(
      drop,
      stop,
      [
        { x: drop.x, y: drop.rect.y + drop.height },
        { x: drop.x, y: stop.rect.y },
      ],
      { weight, also: sketch.arrowsBetween(drop, stop, false) },
    );
    sketch.words(
      fall,
      [muted('nobody accepted')],
      { x: drop.x - 8, y: TOP + 62 },
      { size: CAPTION_SIZE, anchor: 'end' },
    );
    const back = sketch.edge(stop, hub, [left(stop), { x: HUB.right, y: RAIL }], {
      weight,
      also: [
        ...sketch.arrowsBetween(stop, hub, false),
        ...sketch.arrowsBetween(drop, hub, true),
        ...sketch.arrowsBetween(drop, hub, false),
      ],
    });
    sketch.words(back, [server('250')], { x: stop.rect.x - 8, y: RAIL - 8 }, { anchor: 'end' });
    sketch.words(back, [muted(sketch.story.rail)], { x: PANEL.x + 12, y: RAIL - 8 }, { size: CAPTION_SIZE });
  } else {
    sketch.words(
      rail,
      [
        muted('refused, or '),
        { text: 'RSET', tone: 'client', mono: true, bold: true },
        muted(' '),
        server('250'),
        muted(`: ${sketch.story.rail}`),
      ],
      { x: (top[0]?.x ?? 0) + 14, y: RAIL - 8 },
    );
  }
  for (const station of top) {
    if (station === drop || sketch.arrowsBetween(station, hub, true).length === 0) continue;
    const id = sketch.edge(
      station,
      hub,
      [
        { x: station.x, y: station.rect.y + station.height },
        { x: station.x, y: RAIL },
      ],
      { weight, arrow: false },
    );
    sketch.words(id, refusalCodes(sketch, station, hub), { x: station.x + 8, y: TOP + 40 });
  }
  const rise = sketch.edge(
    committing,
    hub,
    [
      { x: committing.x, y: committing.rect.y },
      { x: committing.x, y: RAIL },
    ],
    {
      weight,
      arrow: false,
      also: flaws(sketch, placed, hub),
    },
  );
  const codes = [
    ...new Set(
      [
        ...refusalCodes(sketch, committing, hub),
        ...flaws(sketch, placed, hub).flatMap(({ transition }) =>
          (transition.replies ?? []).map(({ code }) => refusal(code)),
        ),
      ].flatMap(({ text }) => text.split(' ')),
    ),
  ].sort();
  sketch.words(rise, [refusal(codes.join(' '))], { x: committing.x + 8, y: BOTTOM - 34 });
}

export const refusalCodes = (sketch: Sketch, from: Station, to: Station): Run[] =>
  sketch.said(from, to, { refusing: true }).filter(({ tone, mono }) => tone === 'muted' && mono === true);

/** RSET in each state of the transaction. */
function resets(sketch: Sketch, hub: Placed) {
  return sketch.form.arrows.filter(
    ({ transition, target }) => target === hub.states[0] && (transition.commands ?? []).includes('RSET'),
  );
}

/** What is wrong with a message once it is there leads back from the state that received it. */
function flaws(sketch: Sketch, placed: readonly Placed[], hub: Placed) {
  return sketch.form.arrows.filter(
    (arrow) =>
      arrow.target === hub.states[0] &&
      arrow.transition.guard !== undefined &&
      !isRefusal(sketch.story, arrow) &&
      /^endOf/.test(arrow.transition.trigger.kind === 'event' ? arrow.transition.trigger.type : '') &&
      placed.length > 0,
  );
}
