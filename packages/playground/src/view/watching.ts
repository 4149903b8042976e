/**
 * What the page shows, and how that changes. One value, of which all that is drawn follows; what can be linked to stands in
 * the URL's hash as well.
 */
import { useEffect, useMemo, useReducer } from 'preact/hooks';
import { formatHash, parseHash, type Watched } from '../hash/hash.js';
import type { OpenChoice } from '../legal/legal.js';
import type { Recording } from '../recording/recording.js';
import { simulatedRecording } from '../recording/simulated.js';
import { scenarios } from '../scenarios/index.js';
import type { Choice, Segmentation } from '../simulation/choices.js';
import { run } from '../simulation/run.js';
import type { Scenario } from '../simulation/scenario.js';
import type { Step } from '../simulation/step.js';

/** A session that was recorded elsewhere. */
export interface Foreign {
  readonly name: string;
  readonly recording: Recording;
}

export interface Watching extends Watched {
  /** Shown in the place of the scenario. */
  readonly foreign: Foreign | undefined;
  /** The key of the line whose octets are shown; undefined: the one that is being read. */
  readonly selected: string | undefined;
  readonly isPlaying: boolean;
}

export type Action =
  | { readonly type: 'go'; readonly to: number }
  | { readonly type: 'move'; readonly by: number }
  | { readonly type: 'play'; readonly on: boolean }
  | { readonly type: 'select'; readonly key: string; readonly at: number }
  | { readonly type: 'scenario'; readonly id: string }
  | { readonly type: 'fork'; readonly choice: OpenChoice; readonly turn: number; readonly at: number }
  | { readonly type: 'undo'; readonly choice: Choice }
  | { readonly type: 'segments'; readonly segmentation: Segmentation; readonly at: number }
  | { readonly type: 'foreign'; readonly foreign: Foreign; readonly follow: boolean }
  | { readonly type: 'hash'; readonly watched: Watched };

function beginning(): Watching {
  return { ...parseHash(location.hash), foreign: undefined, selected: undefined, isPlaying: false };
}

/** @param last the last step that there is */
function reduce(watching: Watching, action: Action & { readonly last: number }): Watching {
  const clamp = (step: number): number => Math.max(0, Math.min(action.last, step));
  switch (action.type) {
    case 'go':
      return { ...watching, step: clamp(action.to), selected: undefined, isPlaying: false };
    case 'move': {
      const step = clamp(watching.step + action.by);
      return { ...watching, step, selected: undefined, isPlaying: watching.isPlaying && step < action.last };
    }
    case 'play':
      return {
        ...watching,
        isPlaying: action.on,
        step: action.on && watching.step >= action.last ? 0 : watching.step,
      };
    case 'select':
      return { ...watching, selected: action.key, step: clamp(action.at), isPlaying: false };
    case 'scenario':
      return { ...beginningOf(watching), scenario: action.id };
    case 'fork': {
      const { turn } = action;
      const kept = watching.choices.filter((choice) => choice.turn < turn);
      const choice = { ...action.choice, turn } as Choice;
      return {
        ...watching,
        choices: [...kept, choice],
        step: action.at,
        selected: undefined,
        isPlaying: false,
      };
    }
    case 'undo':
      return {
        ...watching,
        choices: watching.choices.filter((choice) => choice !== action.choice),
        selected: undefined,
      };
    case 'segments':
      return { ...watching, segmentation: action.segmentation, step: action.at };
    case 'foreign': {
      const { recording, name } = action.foreign;
      const isNew = watching.foreign?.name !== name;
      // Whoever has stepped back stays there while the session goes on.
      const wasAtEnd = isNew || watching.step >= watching.foreign.recording.moments.length - 1;
      const last = Math.max(0, recording.moments.length - 1);
      const step = action.follow && wasAtEnd ? last : isNew ? 0 : watching.step;
      return {
        ...watching,
        foreign: action.foreign,
        step,
        isPlaying: false,
        ...(isNew && { selected: undefined }),
      };
    }
    case 'hash':
      return { ...beginningOf(watching), ...action.watched };
  }
}

function beginningOf(watching: Watching): Watching {
  return {
    ...watching,
    step: 0,
    choices: [],
    segmentation: { ...watching.segmentation, mode: 'whole', cuts: { client: [], server: [] } },
    foreign: undefined,
    selected: undefined,
    isPlaying: false,
  };
}

export interface Shown {
  readonly watching: Watching;
  readonly scenario: Scenario;
  /** Of the simulation; none where a foreign session is shown. */
  readonly steps: readonly Step[];
  readonly recording: Recording;
  /** Within what there is. */
  readonly position: number;
  readonly act: (action: Action) => void;
}

export function useWatching(): Shown {
  const [watching, dispatch] = useReducer(reduce, undefined, beginning);
  const { scenario: id, choices, segmentation, foreign } = watching;
  const scenario = scenarios.find((each) => each.id === id) ?? scenarios[0];
  if (scenario === undefined) throw new Error('There is no scenario');
  const simulated = useMemo(() => {
    const steps = run(scenario, choices, segmentation);
    return { steps, recording: simulatedRecording(scenario, steps) };
  }, [scenario, choices, segmentation]);
  const recording = foreign?.recording ?? simulated.recording;
  const last = recording.moments.length - 1;
  const position = Math.max(0, Math.min(watching.step, last));
  const act = (action: Action): void => dispatch({ ...action, last });

  useEffect(() => {
    if (foreign !== undefined) return;
    const hash = formatHash({ ...watching, scenario: scenario.id, step: position });
    if (hash !== location.hash) history.replaceState(null, '', hash);
  }, [watching, position, scenario]);

  useEffect(() => {
    const follow = () =>
      dispatch({ type: 'hash', watched: parseHash(location.hash), last: Number.MAX_SAFE_INTEGER });
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  return { watching, scenario, steps: foreign ? [] : simulated.steps, recording, position, act };
}
