/** What one event did to the chart of a session: the output `transition`, when `trace` is on. */
export interface TransitionRecord {
  readonly event: string;
  /** The leaf state that was left. */
  readonly from: string;
  /** The leaf state that was entered; the same where none was left. */
  readonly to: string;
  /** Names of the effects, in order. */
  readonly effects: readonly string[];
}
