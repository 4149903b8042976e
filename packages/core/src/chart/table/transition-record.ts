/** A guard that was asked, and what it said. */
export interface GuardOutcome {
  readonly guard: string;
  readonly passed: boolean;
}

/** Why a transition was taken, and where it led. */
export interface TransitionExplanation {
  /** The transition's `id` in the description of the chart, by which pictures of it go too. */
  readonly transition: string;
  /** In the order in which they were asked. The last one passed, unless the transition that was taken has no guard. */
  readonly guards: readonly GuardOutcome[];
  /** The states that were left, innermost first; none where the session stayed where it was. */
  readonly left: readonly string[];
  /** The states that were entered, outermost first. */
  readonly entered: readonly string[];
  /** What the chart says of the transition: the RFC section, most often. */
  readonly description?: string;
}

/** What a chart remembers, where it can be shown as it is. */
type Remembered = string | number | boolean;

/** A value that a chart remembers, and that a transition has changed. */
export interface ContextChange {
  /** Such as `recipients`. */
  readonly name: string;
  readonly before: Remembered;
  readonly after: Remembered;
}

/** What one event did to the chart of a session. */
export interface TransitionRecord extends TransitionExplanation {
  readonly event: string;
  /** The leaf state before. */
  readonly from: string;
  /** The leaf state after; the same where none was left. */
  readonly to: string;
  /** Names of the effects, in order. */
  readonly effects: readonly string[];
  /** What the chart remembers otherwise than before. */
  readonly changes: readonly ContextChange[];
}

/** In the order in which the chart names them. */
export function changesBetween(before: object, after: object): readonly ContextChange[] {
  if (before === after) return NO_CHANGES;
  const old = before as Readonly<Record<string, unknown>>;
  return Object.entries(after).flatMap(([name, value]) => {
    const was = old[name];
    return was !== value && isRemembered(was) && isRemembered(value)
      ? [{ name, before: was, after: value }]
      : [];
  });
}

const NO_CHANGES: readonly ContextChange[] = [];

function isRemembered(value: unknown): value is Remembered {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The step of its chart by which a session began to end: into `closing`, or at once into `closed`. */
export interface SessionEnding {
  readonly event: string;
  /** The leaf state before. */
  readonly from: string;
  readonly to: 'closing' | 'closed';
}
