/** The left of the overview: from the connection down to the hub, with the ways off it. */
import { sentenceOf } from '../form/words.js';
import { client, muted, type Run, refusal, server, strong } from '../svg/scene.js';
import { CAPTION_SIZE, type Placed, type Sketch, type Station } from './sketch.js';
import type { Alternative, Way } from './way.js';

export const COLUMN = 172;
export const HUB = { y: 346, height: 66, left: 112, right: 236 };
const TOP = 112;
const LANE = 46;
const LANE_DIAMOND = 24;
const HALF = LANE_DIAMOND / 2;

export function drawColumn(sketch: Sketch, way: Way): Placed {
  const { story } = sketch;
  const stations = way.column.map((state) => sketch.station(state, twinsOf(sketch, way, state)));
  const gap = (HUB.y - TOP) / way.column.length;
  const tops = story.foldsQuestions ? [TOP, 190, 258] : [TOP, 258];
  const placed = stations.map((station, index) =>
    sketch.place(station, COLUMN, tops[index] ?? TOP + index * gap),
  );
  const hubWidth = HUB.right - HUB.left;
  const hub = sketch.place(
    { ...sketch.station(way.hub, { folded: false }), shape: 'box', width: hubWidth, height: HUB.height },
    (HUB.left + HUB.right) / 2,
    HUB.y,
    [[strong(way.hub.key)], [muted(story.captions[way.hub.key] ?? '')]],
  );

  const [first] = placed;
  if (first !== undefined) drawStart(sketch, first);
  [...placed, hub].reduce((from, to) => {
    const top = from.rect.y + from.height;
    const id = sketch.edge(
      from,
      to,
      [
        { x: COLUMN, y: top },
        { x: COLUMN, y: to.rect.y },
      ],
      { weight: 'main' },
    );
    const at = { x: COLUMN + 12, y: (top + to.rect.y) / 2 + 3 };
    sketch.words(id, sketch.said(from, to, wordFor(sketch, from, to)), at);
    const below = { x: at.x, y: at.y + 17 };
    sketch.words(id, sketch.caption(from, to), below, { size: CAPTION_SIZE });
    return to;
  });
  if (first !== undefined) drawAside(sketch, first, sketch.station(way.aside, { folded: false }));
  for (const alternative of way.alternatives) drawBeside(sketch, alternative, placed, hub);
  return hub;
}

/** A state that is left just as another is, such as that after HELO, shares its place. */
export function twinsOf(sketch: Sketch, way: Way, state: { readonly path: string }) {
  const known = new Set(
    [...way.column, way.hub, ...way.loop, ...way.rail, way.aside].map(({ path }) => path),
  );
  const boxed = sketch.story.everywhere.rows.flatMap(({ states = [] }) => states);
  const behaviour = (each: (typeof sketch.form.leaves)[number]) =>
    JSON.stringify(
      each.transitions
        .map(({ guard, target, trigger }) => [trigger.kind === 'event' ? trigger.type : '', guard, target])
        .filter(([type, guard]) => type === 'reply.success' || (type === 'accepted' && guard === undefined)),
    );
  const own = sketch.form.state(state.path);
  const twins = sketch.form.leaves.filter(
    (each) =>
      each !== own &&
      !known.has(each.path) &&
      !boxed.includes(each.key) &&
      each.transitions.length > 0 &&
      !way.alternatives.some(({ states }) => states.includes(each)) &&
      behaviour(each) !== '[]' &&
      behaviour(each) === behaviour(own),
  );
  return { twins };
}

/** Of several commands that lead the same way, the main one. */
export function wordFor(sketch: Sketch, from: Station, to: Station): { readonly word?: string } {
  const words = sketch
    .arrowsBetween(from, to, false)
    .flatMap(({ transition, target }) => [
      ...(transition.commands ?? []),
      ...(sketch.story.foldsQuestions ? [] : (target?.commands ?? [])),
    ]);
  if (words.includes('.')) return {};
  const main = sketch.story.words.find((word) => words.includes(word));
  return main === undefined ? {} : { word: main };
}

function drawStart(sketch: Sketch, first: Placed): void {
  const y = first.y;
  sketch.marks.push({
    kind: 'node',
    id: 'start',
    shape: 'start',
    tone: 'ink',
    rect: { x: LANE - 7, y: y - 7, width: 14, height: 14 },
    states: [],
    title: 'The connection is there',
  });
  const id = sketch.line(
    'edge-start',
    [],
    [
      { x: LANE + 7, y },
      { x: first.rect.x, y },
    ],
    {
      weight: 'main',
      arrow: true,
      ends: ['start', first.id],
    },
  );
  sketch.words(
    id,
    [muted('connects')],
    { x: (LANE + 7 + first.rect.x) / 2 - 3, y: y - 9 },
    { size: CAPTION_SIZE, anchor: 'middle' },
  );
}

function drawAside(sketch: Sketch, first: Placed, station: Station): void {
  const { story } = sketch;
  const from = first.rect.x + first.width;
  const said = sketch.said(first, station, { refusing: true });
  const words = said.filter(({ tone }) => tone !== 'client');
  const x = from + 78 + station.width / 2;
  const aside = sketch.place(station, x, first.y);
  const id = sketch.edge(
    first,
    aside,
    [
      { x: from, y: first.y },
      { x: aside.rect.x, y: first.y },
    ],
    { weight: 'refusal' },
  );
  sketch.words(id, words, { x: from + 35, y: first.y - 8 }, { anchor: 'middle' });
  const caption = story.captions[station.states[0]?.key ?? ''];
  if (caption !== undefined) {
    sketch.words(
      aside.id,
      [muted(caption)],
      { x: aside.rect.x + aside.width + 10, y: first.y + 4 },
      { size: CAPTION_SIZE },
    );
  }
}

function drawBeside(sketch: Sketch, alternative: Alternative, placed: readonly Placed[], hub: Placed): void {
  const stationOf = (path: string) =>
    [...placed, hub].find(({ states }) => states.some((state) => state.path === path));
  const from = stationOf(alternative.from.path);
  const to = stationOf(alternative.to.path);
  if (from === undefined || to === undefined) return;
  if (alternative.composite !== undefined) drawBelow(sketch, alternative, from, hub);
  else drawLane(sketch, alternative, from, to);
}

/** Up along the left margin, and back into the column above. */
function drawLane(sketch: Sketch, { story, states }: Alternative, from: Placed, to: Placed): void {
  const isLoop = from === to;
  const begin = isLoop ? from.y - 7 : from.y - 16;
  const end = isLoop ? TOP + 36 : to.y;
  const stations = states.map((state) => sketch.station(state, { folded: true, size: LANE_DIAMOND }));
  const from0 = from.rect.x;
  const step = (begin - end) / (stations.length + 1);
  const ys = stations.map((_, index) => begin - step * (index + 1) + (isLoop ? 0 : 4));
  const placed = stations.map((station, index) => sketch.place(station, LANE, ys[index] ?? end));
  const [first] = placed;
  const last = placed.at(-1);
  if (first === undefined || last === undefined) return;
  const weight = 'optional' as const;
  const leaving = sketch.edge(
    from,
    first,
    [
      { x: from0, y: begin },
      { x: LANE, y: begin },
      { x: LANE, y: first.y + HALF },
    ],
    { weight },
  );
  sketch.words(
    leaving,
    [client(story.word)],
    isLoop ? { x: LANE + 6, y: begin - 6 } : { x: LANE - 18, y: begin + 17 },
  );
  placed.reduce((a, b) => {
    const id = sketch.edge(
      a,
      b,
      [
        { x: LANE, y: a.y - HALF },
        { x: LANE, y: b.y + HALF },
      ],
      { weight },
    );
    sketch.words(id, sketch.said(a, b), { x: LANE + 14, y: (a.y + b.y) / 2 + 4 });
    return b;
  });
  const back = isLoop
    ? [
        { x: LANE, y: last.y - HALF },
        { x: LANE, y: end },
        { x: to.x - 24, y: end },
        { x: to.x - 24, y: to.rect.y },
      ]
    : [
        { x: LANE, y: last.y - HALF },
        { x: LANE, y: to.y },
        { x: to.rect.x, y: to.y },
      ];
  sketch.edge(last, to, back, { weight });
  for (const station of placed) {
    const name = story.names?.[station.states[0]?.key ?? ''];
    if (name !== undefined)
      sketch.words(station.id, [muted(name)], { x: LANE + 20, y: station.y + 4 }, { size: CAPTION_SIZE });
  }
}

/** A collapsed composite below the hub. */
function drawBelow(
  sketch: Sketch,
  { story, states, composite }: Alternative,
  from: Placed,
  hub: Placed,
): void {
  const y = 467;
  const codes = new Set(
    sketch.form.arrows
      .filter(
        ({ source, target }) =>
          states.includes(source) && (target === hub.states[0] || states.includes(target ?? source)),
      )
      .flatMap(({ transition }) => (transition.replies ?? []).map(({ code }) => code)),
  );
  const again = ['334'].filter((code) => codes.has(code));
  const lines: Run[][] = [
    [strong(composite?.key ?? '')],
    [server(again.join(' ')), muted(' … '), client('response')],
  ];
  const stack = sketch.place(
    {
      ...sketch.station(states[0] as never, { folded: false, twins: states.slice(1) }),
      shape: 'stack',
      width: 152,
      height: 54,
    },
    COLUMN,
    y,
    lines,
  );
  const within = sketch.form.arrows.filter(
    ({ source, target }) => states.includes(source) && target !== undefined && states.includes(target),
  );
  sketch.marks.push({
    kind: 'row',
    id: `row-${composite?.key}`,
    rect: { x: stack.rect.x + 8, y: stack.y + 1, width: stack.rect.width - 16, height: 20 },
    transitions: within.map(({ transition }) => transition.id),
    title: within.map(sentenceOf).join('\n'),
  });
  const atOnce = sketch.form.arrows.filter(
    ({ source, target, transition }) =>
      hub.states.includes(source) && source === target && (transition.commands ?? []).includes(story.word),
  );
  const isFromHub = from === hub;
  const weight = 'optional' as const;
  const bottom = hub.rect.y + hub.height;
  if (isFromHub) {
    const x = COLUMN - 24;
    const id = sketch.edge(
      hub,
      stack,
      [
        { x, y: bottom },
        { x, y: stack.rect.y },
      ],
      { weight },
    );
    sketch.words(id, [client(story.word)], { x: x - 8, y: bottom + 35 }, { anchor: 'end' });
  } else {
    const lane = 84;
    const id = sketch.edge(
      from,
      stack,
      [
        { x: from.rect.x, y: from.y + 7 },
        { x: lane, y: from.y + 7 },
        { x: lane, y: stack.y },
        { x: stack.rect.x, y: stack.y },
      ],
      { weight },
    );
    sketch.words(id, [client(story.word)], { x: lane - 8, y: bottom + 35 }, { anchor: 'end' });
  }
  const x = COLUMN + (isFromHub ? 24 : 0);
  const refused = [...sketch.arrowsBetween(stack, hub, true), ...atOnce];
  const id = sketch.edge(
    stack,
    hub,
    [
      { x, y: stack.rect.y },
      { x, y: bottom },
    ],
    { weight, also: refused },
  );
  const yes = [...codes].filter((code) => code === '235');
  const no = [...codes].filter((code) => code === '535');
  sketch.words(id, [server(yes.join(' '))], { x: x + 8, y: bottom + (no.length > 0 ? 26 : 35) });
  if (no.length > 0) sketch.words(id, [refusal(no.join(' '))], { x: x + 8, y: bottom + 44 });
}
