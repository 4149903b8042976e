/** The boxes at the foot: what may happen everywhere, and how it ends. And the legend at the head. */
import type { Arrow } from '../form/chart.js';
import { sentenceOf, stateTitle } from '../form/words.js';
import { type RowStory, waitsForServer } from '../stories/story.js';
import {
  around,
  client,
  ink,
  muted,
  type Run,
  refusal,
  runsWidth,
  type Shape,
  server,
  stateId,
  strong,
  type Tone,
} from '../svg/scene.js';
import { CAPTION_SIZE, type Sketch } from './sketch.js';

const LEFT = { x: 28, y: 580, width: 600, height: 104 };
const RIGHT = { x: 644, y: 580, width: 328, height: 104 };
const SIZE = 12.5;

export function drawFoot(sketch: Sketch): void {
  const { everywhere, ending } = sketch.story;
  sketch.marks.push({ kind: 'panel', id: 'everywhere', look: 'note', rect: LEFT });
  sketch.words('everywhere', [strong(everywhere.title)], { x: LEFT.x + 16, y: LEFT.y + 24 }, { size: 13.5 });
  everywhere.rows.forEach((row, index) => {
    const x = LEFT.x + 16 + (index % 2) * 282;
    const many = everywhere.rows.length > 4;
    const y = LEFT.y + (many ? 47 : 52) + Math.floor(index / 2) * (many ? 22 : 30);
    drawRow(sketch, row, x, y, 274);
  });

  sketch.marks.push({ kind: 'panel', id: 'ending', look: 'note', rect: RIGHT });
  sketch.words('ending', [strong('How it ends')], { x: RIGHT.x + 16, y: RIGHT.y + 24 }, { size: 13.5 });
  const closing = sketch.form.leaves.find(({ deadlines }) => deadlines.includes('linger'));
  const closed = sketch.form.leaves.find(({ kind }) => kind === 'final');
  if (closing === undefined || closed === undefined) return;
  const y = RIGHT.y + 46;
  const pill = sketch.station(closing, { folded: false });
  const node = { ...pill, height: 30 };
  const at = { x: RIGHT.x + 222, y };
  sketch.marks.push({
    kind: 'node',
    id: node.id,
    shape: 'pill',
    tone: 'ink',
    rect: around(at, node.width, node.height),
    states: [closing.path],
    title: closing.path,
  });
  sketch.words(node.id, [strong(closing.key)], { x: at.x, y: y + 5 }, { size: 13, anchor: 'middle' });
  const final = { x: RIGHT.x + RIGHT.width - 26, y };
  sketch.marks.push({
    kind: 'node',
    id: stateId(closed.path),
    shape: 'end',
    tone: 'ink',
    rect: around(final, 22, 22),
    states: [closed.path],
    title: closed.path,
  });
  sketch.words(
    stateId(closed.path),
    [muted(closed.key)],
    { x: final.x + 12, y: y + 28 },
    { size: CAPTION_SIZE, anchor: 'end' },
  );
  sketch.line(
    'edge-closing--closed',
    sketch.form.arrows.filter(({ source, target }) => source === closing && target === closed),
    [
      { x: at.x + node.width / 2, y },
      { x: final.x - 11, y },
    ],
    { weight: 'refusal', arrow: true, ends: [node.id, stateId(closed.path)] },
  );

  const [quit, cut] = ending.rows;
  if (quit === undefined || cut === undefined) return;
  const quitWidth = drawRow(sketch, quit, RIGHT.x + 16, y + 5, 140);
  const left = at.x - node.width / 2;
  sketch.line(
    'edge-any--closing',
    taken(sketch, quit),
    [
      { x: RIGHT.x + 24 + quitWidth, y },
      { x: left, y },
    ],
    { weight: 'refusal', arrow: true, ends: ['ending', node.id] },
  );
  const cutWidth = drawRow(sketch, cut, RIGHT.x + 16, y + 28, 220);
  void cutWidth;
  const lost = sketch.form.arrows.filter(({ source, target }) => target === closed && source !== closing);
  rowMark(sketch, 'lost', lost, { x: RIGHT.x + 12, y: y + 34, width: 260, height: 20 });
  sketch.words('lost', [muted(ending.note)], { x: RIGHT.x + 16, y: y + 48 }, { size: CAPTION_SIZE });
}

const taken = (sketch: Sketch, { takes }: RowStory): Arrow[] => sketch.form.arrows.filter(takes);

function rowMark(
  sketch: Sketch,
  id: string,
  arrows: readonly Arrow[],
  rect: { x: number; y: number; width: number; height: number },
): void {
  sketch.marks.push({
    kind: 'row',
    id: `row-${id}`,
    rect,
    transitions: arrows.map(({ transition }) => transition.id),
    title: arrows.map(sentenceOf).join('\n'),
  });
}

/** The words of the row, with a mark where states are drawn in it; gives back how wide it is. */
function drawRow(sketch: Sketch, row: RowStory, x: number, y: number, width: number): number {
  const { id, commands = [], codes = [], note, states = [] } = row;
  const space: Run = { text: ' ', tone: 'muted', mono: true };
  const words: Run[][] = commands.map((word) => [client(word)]);
  const replies: Run[][] = codes.map((code) => [
    /^[45]/.test(code) && code !== '421' ? refusal(code) : server(code),
  ]);
  const spaced = (parts: readonly (readonly Run[])[]) =>
    parts.flatMap((part, index) => (index === 0 ? part : [space, ...part]));
  const said = note === '' ? [] : [[muted(note)]];
  const owner = `row-${id}`;
  rowMark(sketch, id, taken(sketch, row), { x: x - 4, y: y - 15, width, height: 21 });
  if (states.length === 0) {
    const all = spaced([...words, ...replies, ...said]);
    sketch.words(owner, all, { x, y }, { size: SIZE });
    return runsWidth(all, SIZE);
  }
  const members = states
    .map((key) => sketch.form.leaves.find((leaf) => leaf.key === key))
    .filter((state) => state !== undefined);
  const [first] = members;
  const lead = spaced(words);
  const leadWidth = lead.length === 0 ? 0 : runsWidth(lead, SIZE) + 8;
  sketch.words(owner, lead, { x, y }, { size: SIZE });
  const isServer = first !== undefined && waitsForServer(sketch.story, first);
  const mark = isServer ? { shape: 'diamond' as const, width: 20 } : { shape: 'pill' as const, width: 26 };
  sketch.marks.push({
    kind: 'node',
    id: stateId(first?.path ?? ''),
    shape: mark.shape,
    tone: isServer ? 'server' : 'client',
    rect: { x: x + leadWidth, y: y - (isServer ? 14 : 11), width: mark.width, height: isServer ? 20 : 15 },
    states: members.map(({ path }) => path),
    title: members.map(stateTitle).join('\n'),
  });
  const rest = spaced([...replies, ...said]);
  const begin = leadWidth + mark.width + 7;
  sketch.words(owner, rest, { x: x + begin, y }, { size: SIZE });
  return begin + runsWidth(rest, SIZE);
}

/** What the marks mean. */
export function drawLegend(sketch: Sketch): void {
  const folded = sketch.story.foldsQuestions;
  const [x0, y0, y1] = [508, 94, 121];
  const shape = (kind: Shape, tone: Tone, x: number, width: number, height: number) =>
    sketch.marks.push({
      kind: 'node',
      id: 'legend',
      shape: kind,
      tone,
      rect: around({ x, y: y0 }, width, height),
      states: [],
      title: '',
    });
  const words = (runs: readonly Run[], x: number, y: number) =>
    sketch.words('legend', runs, { x, y }, { size: CAPTION_SIZE });
  shape('pill', 'client', x0 + 17, 34, 18);
  words([ink(folded ? 'waits for the client' : 'waits for us')], x0 + 42, y0 + 4.5);
  if (folded) shape('diamond', 'server', x0 + 190, 18, 18);
  else shape('pill', 'server', x0 + 186, 34, 18);
  words([ink(folded ? 'waits for us: yes or no' : 'waits for the reply')], x0 + 210, y0 + 4.5);
  shape('end', 'ink', x0 + 380, 18, 18);
  words([ink('ends')], x0 + 396, y0 + 4.5);
  words([client('MAIL'), ink(folded ? '  client says' : '  we say')], x0 + 2, y1 + 4.5);
  words([server('250'), ink('  server replies')], x0 + 178, y1 + 4.5);
  words([refusal('550')], x0 + 358, y1 + 4.5);
  sketch.line(
    'legend-line',
    [],
    [
      { x: x0 + 388, y: y1 },
      { x: x0 + 408, y: y1 },
    ],
    { weight: 'refusal', arrow: false, ends: [] },
  );
  words([ink('no')], x0 + 414, y1 + 4.5);
}
