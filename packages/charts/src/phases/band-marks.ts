/** The mark of a band: its shape and size, and where lines meet it. */
import type { StateDescription } from '@sansmtp/core/chart';
import { type Story, waitsForServer } from '../stories/story.js';
import { muted, type Rect, runsWidth, stateId, strong } from '../svg/scene.js';
import type { Lane } from './lines.js';
import { PORT_STEP, SIZE } from './measures.js';
import type { StateRow } from './rows.js';

export interface Band {
  /** Several, if they do all the same. */
  readonly states: readonly StateDescription[];
  readonly rows: readonly StateRow[];
  readonly isExit: boolean;
  readonly top: number;
  readonly height: number;
  readonly rect: Rect;
  readonly shape: 'pill' | 'diamond' | 'box' | 'end';
}

export function shapeOf(story: Story | undefined, state: StateDescription): Band['shape'] {
  if (state.kind === 'final') return 'end';
  if (state.deadlines.includes('linger')) return 'pill';
  if (state.states.length > 0) return 'box';
  return story?.foldsQuestions && waitsForServer(story, state) ? 'diamond' : 'pill';
}

export function nameOf(state: StateDescription): string {
  if (state.states.length === 0) return state.key;
  return `any state of ${state.key}`;
}

export function markWidth(story: Story | undefined, state: StateDescription): number {
  const shape = shapeOf(story, state);
  if (shape === 'diamond') return 26;
  if (shape === 'end') return 24;
  return runsWidth([strong(nameOf(state))], 13) + 26;
}

/** The names of diamonds stand beside them, above their right corner. */
export const isNamedBeside = (story: Story | undefined, state: StateDescription): boolean =>
  ['diamond', 'end'].includes(shapeOf(story, state));

export function nameReach(
  story: Story | undefined,
  groups: readonly (readonly StateDescription[])[],
): number {
  const beside = groups.flat().filter((state) => isNamedBeside(story, state));
  return Math.max(0, ...beside.map(({ key }) => 20 + runsWidth([muted(key)], SIZE) + 8));
}

export const markId = ({ states, isExit }: Band): string =>
  `${isExit ? 'exit-' : ''}${stateId(states[0]?.path ?? '')}`;

export function portY(
  { rect }: Band,
  ports: ReadonlyMap<number, readonly Lane[]>,
  band: number,
  lane: Lane,
): number {
  const known = ports.get(band) ?? [lane];
  const step = Math.min(PORT_STEP, (rect.height - 8) / Math.max(1, known.length));
  return rect.y + rect.height / 2 + (known.indexOf(lane) - (known.length - 1) / 2) * step;
}

/** Where a line at this height meets the mark. */
export function sideX({ rect, shape }: Band, sign: number, y: number): number {
  const middle = rect.x + rect.width / 2;
  if (shape !== 'diamond' && shape !== 'end') return middle + (sign * rect.width) / 2;
  const off = Math.abs(y - (rect.y + rect.height / 2));
  const half = shape === 'diamond' ? rect.width / 2 - off : Math.sqrt((rect.width / 2) ** 2 - off ** 2);
  return middle + sign * half;
}
