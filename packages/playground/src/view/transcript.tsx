/** The session so far as plain text, for those who read or hear rather than look. */
import type { WireItem } from '../recording/recording.js';
import { stateName } from '../recording/words.js';

export interface TranscriptProperties {
  readonly items: readonly WireItem[];
  readonly position: number;
}

export function Transcript({ items, position }: TranscriptProperties) {
  const told = items.filter((item) => (item.kind === 'note' ? item.moment : item.sent) <= position);
  return (
    <details class="transcript">
      <summary>Transcript up to this step</summary>
      <ol>
        {told.map((item) => (
          <li key={item.key}>{sentenceOf(item, position)}</li>
        ))}
      </ol>
    </details>
  );
}

function sentenceOf(item: WireItem, position: number): string {
  if (item.kind === 'note') return `${item.end === undefined ? '' : `The ${item.end}: `}${item.text}.`;
  const { from, lines, isMailData, length, isForged, arrived, states } = item;
  const what = isMailData ? `sends ${length} octets of the message` : `says: ${lines.join(' / ')}`;
  const reader = from === 'client' ? 'server' : 'client';
  const state = states[reader];
  const then =
    arrived === undefined
      ? ' It never arrives.'
      : arrived > position
        ? ' It is on its way.'
        : state === undefined
          ? ''
          : ` The ${reader} is then in ${stateName(state)}.`;
  return `${isForged ? `Somebody in the ${from}’s name` : `The ${from}`} ${what}.${then}`;
}
