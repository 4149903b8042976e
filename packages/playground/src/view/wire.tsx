/** The wire: what each end says, in the middle, and beside it where the two ends stand. What is yet to come is pale. */
import { useEffect, useRef } from 'preact/hooks';
import type { WireItem, WireLine, WireNote } from '../recording/recording.js';
import { duration, stateName } from '../recording/words.js';

/** Of a message, so many lines are shown; all of it is below, in octets. */
const MOST_LINES = 7;

export interface WireProperties {
  readonly items: readonly WireItem[];
  readonly times: readonly number[];
  readonly position: number;
  readonly selected: string | undefined;
  readonly onSelect: (item: WireItem) => void;
}

export function Wire({ items, times, position, selected, onSelect }: WireProperties) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => showCurrent(list.current), [position, items]);
  const pipelined = flightsOfSeveral(items);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must do so by keyboard as well
    <ol class="wire" ref={list} tabIndex={0} aria-label="What passes over the wire">
      {items.map((item) => {
        const at = item.kind === 'note' ? item.moment : (item.arrived ?? item.sent);
        const begun = item.kind === 'note' ? item.moment : item.sent;
        const classes = [
          item.kind,
          begun > position ? 'future' : '',
          at === position || begun === position ? 'current' : '',
          item.key === selected ? 'selected' : '',
          item.kind === 'line' && pipelined.has(item.flight) ? 'pipelined' : '',
        ];
        return (
          <li key={item.key} class={classes.filter(Boolean).join(' ')}>
            {item.kind === 'note' ? (
              <Note note={item} time={times[item.moment]} onSelect={() => onSelect(item)} />
            ) : (
              <Line line={item} time={times[item.sent]} position={position} onSelect={() => onSelect(item)} />
            )}
          </li>
        );
      })}
    </ol>
  );
}

interface LineProperties {
  readonly line: WireLine;
  readonly time: number | undefined;
  readonly position: number;
  readonly onSelect: () => void;
}

function Line({ line, time, position, onSelect }: LineProperties) {
  const { from, lines, sent, arrived, isMailData, isForged, underTls, states } = line;
  const progress =
    sent > position
      ? 'unsent'
      : arrived === undefined
        ? 'lost'
        : arrived > position
          ? 'under-way'
          : 'arrived';
  const shown = lines.slice(0, MOST_LINES);
  const knows = (end: 'client' | 'server'): boolean =>
    end === from ? sent <= position : arrived !== undefined && arrived <= position;
  const classes = [
    'says',
    from,
    progress,
    isMailData && 'mail-data',
    isForged && 'forged',
    underTls && 'tls',
  ];
  return (
    <button type="button" class={classes.filter(Boolean).join(' ')} onClick={onSelect}>
      <span class="state client">{states.client && knows('client') ? stateName(states.client) : ''}</span>
      <span class="said">
        <span class="speaker">{from === 'client' ? 'C:' : 'S:'}</span>
        <span class="text">
          {shown.map((text, index) => (
            <span class="text-line" key={index}>
              {text === '' ? '\u00a0' : text}
            </span>
          ))}
          {lines.length > MOST_LINES && (
            <span class="more">
              … {lines.length - MOST_LINES} more lines, {line.length} octets
            </span>
          )}
        </span>
        {isForged && <span class="badge">not the {from}’s own</span>}
        {progress === 'lost' && <span class="badge">never arrives</span>}
        <span class="arrow" aria-hidden="true" />
      </span>
      <span class="state server">{states.server && knows('server') ? stateName(states.server) : ''}</span>
      <span class="time">{time === undefined ? '' : duration(time)}</span>
    </button>
  );
}

interface NoteProperties {
  readonly note: WireNote;
  readonly time: number | undefined;
  readonly onSelect: () => void;
}

function Note({ note: { end, text, tone }, time, onSelect }: NoteProperties) {
  const who = end === undefined ? '' : tone === 'decision' ? `the ${end}’s application: ` : `the ${end}: `;
  return (
    <button type="button" class={`aside ${tone} ${end ?? 'both'}`} onClick={onSelect}>
      <span class="words">
        <span class="who">{who}</span>
        {text}
      </span>
      <span class="time">{time === undefined ? '' : duration(time)}</span>
    </button>
  );
}

/** Commands that left together: those are pipelined. */
function flightsOfSeveral(items: readonly WireItem[]): ReadonlySet<number> {
  const counts = new Map<number, number>();
  for (const item of items) {
    if (item.kind !== 'line' || item.from !== 'client' || item.isMailData || item.isForged) continue;
    if (item.verb === 'BDAT') continue;
    counts.set(item.flight, (counts.get(item.flight) ?? 0) + 1);
  }
  return new Set([...counts].flatMap(([flight, count]) => (count > 1 ? [flight] : [])));
}

/** Scrolls the list, and nothing but the list. */
function showCurrent(list: HTMLOListElement | null): void {
  if (list === null) return;
  const current = list.querySelectorAll<HTMLElement>('.current');
  const [first, last] = [current[0], current[current.length - 1]];
  if (first === undefined || last === undefined) return;
  const top = first.offsetTop;
  const bottom = last.offsetTop + last.offsetHeight;
  const room = 60;
  if (top < list.scrollTop + room) list.scrollTop = top - room;
  else if (bottom > list.scrollTop + list.clientHeight - room)
    list.scrollTop = bottom - list.clientHeight + room;
}
