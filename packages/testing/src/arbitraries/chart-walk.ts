/** The server's chart as a client sees it: in which state which commands bring a session on. */
import { type ChartDescription, describeChart, type StateDescription } from '@sansmtp/core';
import { leafOf, lineageOf } from '@sansmtp/core/chart';

/** Walks the chart by what the client says, as long as the server accepts all of it. */
export interface ChartWalk {
  /** Where the session stands: a leaf state. */
  readonly state: string;
  /** What a command, or the end of a message, may be said here and leads somewhere else. */
  readonly legal: readonly string[];
  /** Takes a step; one that is not legal here changes nothing. */
  take(word: string): void;
}

/** The words of a client, by the chart's events; `message` stands for mail data with its final dot. */
const WORD: Readonly<Record<string, string>> = { endOfMailData: 'message', tlsEstablished: 'handshake' };

let described: ChartDescription | undefined;

/** Described when it is first needed: most tests need none. */
function serverChart(): ChartDescription {
  described ??= describeChart('server');
  return described;
}

/** Each state with those inside it. */
const statesOf = (state: StateDescription): readonly StateDescription[] => [
  state,
  ...state.states.flatMap(statesOf),
];

const wordOf = (type: string): string => WORD[type] ?? type.replace(/^command\./, '');

/** Where an event leads when its guards, which say no, do not hold; undefined: nowhere. */
function targetOf(chart: ChartDescription, state: string, word: string): string | undefined {
  for (const each of lineageOf(chart, state)) {
    const taken = each.transitions.findLast(
      ({ trigger }) => trigger.kind === 'event' && wordOf(trigger.type) === word,
    );
    if (taken !== undefined) return taken.target === undefined ? undefined : leafOf(chart, taken.target);
  }
  return undefined;
}

/** The application says yes to whatever the state asks it. */
function settled(chart: ChartDescription, state: string): string {
  for (let leaf = state, turn = 0; turn < 8; turn++) {
    const next = targetOf(chart, leaf, 'accepted');
    if (next === undefined || next === leaf) return leaf;
    leaf = next;
  }
  return state;
}

export function walkChart(): ChartWalk {
  const chart = serverChart();
  let state = settled(chart, leafOf(chart, ''));
  const words = [
    ...new Set(
      statesOf(chart.root).flatMap(({ transitions }) =>
        transitions.flatMap(({ trigger }) => (trigger.kind === 'event' ? [wordOf(trigger.type)] : [])),
      ),
    ),
  ].filter((word) => /^[A-Z]+$|^message$|^handshake$/.test(word));
  return {
    get state() {
      return state;
    },
    get legal() {
      return words.filter((word) => {
        const target = targetOf(chart, state, word);
        return target !== undefined && target !== state;
      });
    },
    take(word) {
      const target = targetOf(chart, state, word);
      if (target !== undefined) state = settled(chart, target);
    },
  };
}
