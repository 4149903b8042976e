/**
 * What a client session tells of itself when the option `observe` is on: one record for each thing that happens, in the
 * order in which it happens. `time` is the `now` of the input that led to it, in monotonic milliseconds.
 */
import type { TransitionRecord } from '../chart/transition-record.js';

/** What happened in a client session; `type` says what. */
export type ClientProtocolEvent =
  /** The chart took a transition. */
  | ({ readonly type: 'transition'; readonly time: number } & TransitionRecord)
  /** A deadline began to run. When it is due, it is the `event` of a transition. */
  | {
      readonly type: 'timerSet';
      readonly time: number;
      readonly id: string;
      /** Milliseconds; possibly `Infinity`. */
      readonly delay: number;
    }
  | { readonly type: 'timerCleared'; readonly time: number; readonly id: string };
