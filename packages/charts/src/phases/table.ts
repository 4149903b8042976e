/** The words above a picture in bands, and the columns of its table. */
import type { Story } from '../stories/story.js';
import { label, type Mark, muted, runsWidth, strong } from '../svg/scene.js';
import type { Band } from './band-marks.js';
import { HEAD, MARGIN, SIZE } from './measures.js';

export interface Columns {
  readonly on: number;
  readonly guard: number;
  readonly said: number;
  readonly then: number;
  readonly source: number;
  readonly end: number;
}

export const COLUMNS = ['on', 'guard', 'said', 'then', 'source'] as const;

export function columnsOf(placed: readonly Band[], left: number): Columns {
  let x = left;
  const starts = COLUMNS.map((name) => {
    const begin = x;
    const widths = placed.flatMap(({ rows }) => rows.map((row) => runsWidth(row[name], SIZE)));
    x += Math.max(34, ...widths) + 18;
    return begin;
  });
  const [on = 0, guard = 0, said = 0, then = 0, source = 0] = starts;
  return { on, guard, said, then, source, end: x - 18 };
}

export function drawHead(
  marks: Mark[],
  title: string,
  subtitle: string,
  columns: Columns,
  story: Story | undefined,
  width: number,
): void {
  marks.push(label('title', [strong(title)], { x: MARGIN, y: 38 }, { size: 20 }));
  marks.push(label('title', [muted(subtitle)], { x: MARGIN, y: 60 }, { size: 13 }));
  const said = story === undefined ? 'does' : story.foldsQuestions ? 'reply' : 'we say';
  const heads = ['on', 'only if', said, 'then', story === undefined ? 'why' : 'RFC'];
  COLUMNS.forEach((name, index) => {
    marks.push(
      label('head', [muted(heads[index] ?? '')], { x: columns[name], y: HEAD - 12 }, { size: SIZE }),
    );
  });
  if (story !== undefined) drawKey(marks, story, width - MARGIN);
}

/** What the marks mean, at the right above the table. */
function drawKey(marks: Mark[], story: Story, right: number): void {
  const folded = story.foldsQuestions;
  const parts = [
    {
      shape: 'pill' as const,
      tone: 'client' as const,
      width: 30,
      text: folded ? 'waits for the client' : 'waits for us',
    },
    {
      shape: folded ? ('diamond' as const) : ('pill' as const),
      tone: 'server' as const,
      width: folded ? 18 : 30,
      text: folded ? 'waits for us' : 'waits for the reply',
    },
  ];
  let x =
    right - parts.reduce((sum, part) => sum + part.width + runsWidth([muted(part.text)], SIZE) + 24, 0) + 16;
  for (const { shape, tone, width, text } of parts) {
    marks.push({
      kind: 'node',
      id: 'key',
      shape,
      tone,
      rect: { x, y: 24, width, height: 18 },
      states: [],
      title: '',
    });
    marks.push(label('key', [muted(text)], { x: x + width + 8, y: 37 }, { size: SIZE }));
    x += width + runsWidth([muted(text)], SIZE) + 24;
  }
}
