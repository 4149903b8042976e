/**
 * Where TCP cuts what was said: cuts can be dragged from octet to octet, and nothing changes. An end must not care, for
 * it is not asked.
 */
import { useRef } from 'preact/hooks';
import type { WireLine } from '../recording/recording.js';
import type { Segmentation } from '../simulation/choices.js';

/** So many octets are shown as cells. */
const MOST_CELLS = 96;

export interface SegmentsProperties {
  readonly line: WireLine;
  readonly segmentation: Segmentation;
  /** All turns of the session are as they are without any cuts. */
  readonly isSame: boolean;
  readonly onChange: (segmentation: Segmentation) => void;
}

export function Segments({ line, segmentation, isSame, onChange }: SegmentsProperties) {
  const strip = useRef<HTMLDivElement>(null);
  const { from, octets, offset = 0, length = 0 } = line;
  const own = segmentation.cuts[from].filter((cut) => cut > offset && cut < offset + length);
  const setCuts = (cuts: readonly number[]): void => {
    const unique = [...new Set(cuts)].sort((a, b) => a - b);
    onChange({ ...segmentation, cuts: { ...segmentation.cuts, [from]: unique } });
  };
  const move = (cut: number, to: number): void => {
    const within = Math.max(offset + 1, Math.min(offset + length - 1, to));
    setCuts(segmentation.cuts[from].map((each) => (each === cut ? within : each)));
  };
  const remove = (cut: number): void => setCuts(segmentation.cuts[from].filter((each) => each !== cut));
  const add = (): void => {
    const free = Math.floor(offset + length / 2);
    setCuts([...segmentation.cuts[from], own.includes(free) ? Math.floor(offset + length / 4) : free]);
  };
  const drag = (cut: number): void => {
    // The handle itself is drawn anew as it moves, so the window is listened to.
    const others = segmentation.cuts[from].filter((each) => each !== cut);
    const follow = ({ clientX, clientY }: PointerEvent): void => {
      const to = offsetAt(strip.current, clientX, clientY);
      if (to !== undefined) setCuts([...others, Math.max(offset + 1, Math.min(offset + length - 1, to))]);
    };
    const stop = (): void => {
      removeEventListener('pointermove', follow);
      removeEventListener('pointerup', stop);
      removeEventListener('pointercancel', stop);
    };
    addEventListener('pointermove', follow);
    addEventListener('pointerup', stop);
    addEventListener('pointercancel', stop);
  };
  const cells = Array.from(octets?.subarray(0, MOST_CELLS) ?? [], (octet, index) => ({
    octet,
    at: offset + index,
  }));
  const segments = own.length + 1;
  return (
    <div class="segments">
      <div class="segments-head">
        <button type="button" onClick={add} disabled={length < 2}>
          Cut it
        </button>
        <label>
          <input
            type="checkbox"
            checked={segmentation.mode === 'octets'}
            onChange={(event) =>
              onChange({ ...segmentation, mode: event.currentTarget.checked ? 'octets' : 'whole' })
            }
          />{' '}
          each octet by itself
        </label>
        {own.length > 0 && (
          <button
            type="button"
            onClick={() => setCuts(segmentation.cuts[from].filter((cut) => !own.includes(cut)))}
          >
            Whole again
          </button>
        )}
        <output>
          {segmentation.mode === 'octets'
            ? `${length} segments`
            : segments === 1
              ? 'one segment'
              : `${segments} segments`}
          {(segments > 1 || segmentation.mode === 'octets') &&
            (isSame ? ': same replies, same states, same end' : ': something has changed!')}
        </output>
      </div>
      {cells.length > 0 && (
        <div class="strip" ref={strip}>
          {cells.map(({ octet, at }) => (
            <span key={at} class="cell-group">
              {own.includes(at) && (
                <span
                  class="cut"
                  role="slider"
                  tabIndex={0}
                  aria-label="A cut between two segments"
                  aria-valuemin={offset + 1}
                  aria-valuemax={offset + length - 1}
                  aria-valuenow={at}
                  title="Drag it, or use the arrow keys; Delete takes it away"
                  onPointerDown={() => drag(at)}
                  onKeyDown={(event) => {
                    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
                    if (by !== 0) move(at, at + by);
                    else if (event.key === 'Delete' || event.key === 'Backspace') remove(at);
                    else return;
                    event.preventDefault();
                    event.stopPropagation();
                  }}
                />
              )}
              <span class={octet < 0x20 ? 'cell control' : 'cell'} data-offset={at}>
                {cellText(octet)}
              </span>
            </span>
          ))}
          {length > MOST_CELLS && <span class="more">… {length - MOST_CELLS} more</span>}
        </div>
      )}
    </div>
  );
}

/** One octet, control characters as programmers write them. */
function cellText(octet: number): string {
  if (octet === 13) return '\\r';
  if (octet === 10) return '\\n';
  return octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '·';
}

/** The octet before which a cut would stand that is dropped here. */
function offsetAt(strip: HTMLElement | null, x: number, y: number): number | undefined {
  let nearest: { readonly offset: number; readonly distance: number } | undefined;
  for (const cell of strip?.querySelectorAll<HTMLElement>('.cell') ?? []) {
    const { left, top, bottom } = cell.getBoundingClientRect();
    const distance = Math.abs(left - x) + 4 * Math.max(0, top - y, y - bottom);
    if (nearest === undefined || distance < nearest.distance) {
      nearest = { offset: Number(cell.dataset.offset), distance };
    }
  }
  return nearest?.offset;
}
