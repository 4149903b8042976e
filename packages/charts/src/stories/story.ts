/**
 * What a picture needs and a chart cannot say: which command is the main one, and the words for people. All else (states,
 * transitions, replies) is read from the description; a story that names what is not there is an error.
 */
import type { StateDescription } from '@sansmtp/core/chart';
import type { Arrow } from '../form/chart.js';

export interface Story {
  readonly title: string;
  readonly subtitle: string;
  /** The commands of the thick line, one after the other. */
  readonly words: readonly string[];
  /** The triggers by which a dialogue turns back. */
  readonly refusals: readonly string[];
  /** The deadlines of states that wait for the client; a state without a deadline does, too. */
  readonly clientDeadlines: readonly string[];
  /** A state that waits for the server is a diamond on the edge: its command stands before it, its reply after it. */
  readonly foldsQuestions: boolean;
  /** Ways off the thick line and back to it, by the command that begins each. */
  readonly alternatives: readonly AlternativeStory[];
  /** Under a state, by its key: only where its name is not enough. */
  readonly captions: Readonly<Record<string, string>>;
  /** After the words at an edge, by the keys that it joins, such as `ready opening`. */
  readonly edgeCaptions: Readonly<Record<string, string>>;
  readonly rail: string;
  readonly everywhere: { readonly title: string; readonly rows: readonly RowStory[] };
  readonly ending: { readonly rows: readonly RowStory[]; readonly note: string };
  readonly phases: readonly PhaseStory[];
}

export interface AlternativeStory {
  readonly word: string;
  /** What its states are called, where they are folded to diamonds; by key. */
  readonly names?: Readonly<Record<string, string>>;
}

/** A row of a box: what many states do alike. */
export interface RowStory {
  readonly id: string;
  /** The words of the client, and of the server, before the note. */
  readonly commands?: readonly string[];
  readonly codes?: readonly string[];
  readonly note: string;
  /** States that are drawn in the row, as one diamond; by key. */
  readonly states?: readonly string[];
  /** Which transitions it stands for. */
  readonly takes: (arrow: Arrow) => boolean;
}

/** The parts of a dialogue that have pictures of their own. */
export type PhaseName = 'opening' | 'tls' | 'auth' | 'transaction' | 'ending';

/** One picture a phase. */
export interface PhaseStory {
  readonly id: PhaseName;
  readonly title: string;
  readonly subtitle: string;
  /** Keys of the states, in the order of their bands. */
  readonly states: readonly string[];
  /** Of a state that stands in several phases, the triggers that belong to this one. */
  readonly only?: Readonly<Record<string, RegExp>>;
}

export const waitsForServer = (story: Story, { deadlines, kind }: StateDescription): boolean =>
  kind === 'atomic' &&
  deadlines.length > 0 &&
  !deadlines.every((name) => story.clientDeadlines.includes(name));
