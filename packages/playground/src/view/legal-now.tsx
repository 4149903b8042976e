/** What may happen next at one end. In a simulation each can be had: the session is forked. */
import type { ChartDescription } from '@sansmtp/core';
import { leafOf } from '@sansmtp/core/chart';
import { type LegalEvent, legalIn, type OpenChoice } from '../legal/legal.js';
import { eventWords, stateName } from '../recording/words.js';

export interface LegalNowProperties {
  readonly chart: ChartDescription;
  readonly state: string;
  /** Why no test takes them, by transition; undefined: that is not asked. */
  readonly untaken: ReadonlyMap<string, string> | undefined;
  /** The choice by which an event can be had; absent: this is a recording, and goes as it went. */
  readonly forkFor?: (event: string) => OpenChoice | undefined;
  readonly onFork: (choice: OpenChoice) => void;
  readonly onPoint: (state: string | undefined) => void;
}

export function LegalNow({ chart, state, untaken, forkFor, onFork, onPoint }: LegalNowProperties) {
  const events = legalIn(chart, state);
  if (events.length === 0) return <p class="empty">Nothing any more: the session is over.</p>;
  const legal = events.filter(({ isRefused }) => !isRefused);
  const refused = events.filter(({ isRefused }) => isRefused);
  const chips = (list: readonly LegalEvent[]) =>
    list.map((each) => (
      <Event
        key={each.event}
        chart={chart}
        legal={each}
        fork={forkFor?.(each.event)}
        untested={reasonFor(each, untaken)}
        onFork={onFork}
        onPoint={onPoint}
      />
    ));
  return (
    <>
      <ul class="legal">{chips(legal)}</ul>
      {refused.length > 0 && (
        <details class="refused">
          <summary>refused here: {refused.length}</summary>
          <ul class="legal">{chips(refused)}</ul>
        </details>
      )}
    </>
  );
}

/** Why no test takes any of its transitions. */
function reasonFor({ transitions }: LegalEvent, untaken: LegalNowProperties['untaken']): string | undefined {
  const reasons = transitions.map(({ id }) => untaken?.get(id));
  return reasons.includes(undefined) ? undefined : reasons[0];
}

interface EventProperties extends Pick<LegalNowProperties, 'chart' | 'onFork' | 'onPoint'> {
  readonly legal: LegalEvent;
  readonly fork: OpenChoice | undefined;
  readonly untested: string | undefined;
}

function Event({ chart, legal: { event, transitions }, fork, untested, onFork, onPoint }: EventProperties) {
  const last = transitions.at(-1);
  const codes = [...new Set(transitions.flatMap(({ replies = [] }) => replies.map(({ code }) => code)))];
  const target = last?.target === undefined ? undefined : leafOf(chart, last.target);
  const isReply = event.startsWith('reply.');
  const title = [
    target === undefined ? 'stays where it is' : `leads to ${target}`,
    isReply || codes.length === 0 ? '' : `reply ${codes.join(', ')}`,
    last?.description ?? '',
    untested === undefined ? '' : `no test takes it: ${untested}`,
    fork === undefined ? '' : 'Click: have it so.',
  ];
  const point = (state: string | undefined): void => onPoint(state);
  return (
    <li>
      <button
        type="button"
        class={untested === undefined ? 'chip' : 'chip untested'}
        disabled={fork === undefined}
        title={title.filter(Boolean).join('; ')}
        onClick={() => fork && onFork(fork)}
        onMouseEnter={() => point(target)}
        onMouseLeave={() => point(undefined)}
        onFocus={() => point(target)}
        onBlur={() => point(undefined)}
      >
        {eventWords(event)}
        {target !== undefined && <span class="target"> → {stateName(target)}</span>}
      </button>
    </li>
  );
}
