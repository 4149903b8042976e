/** Adds to a description what a machine does not hold and its owner knows: what goes over the wire. */
import type { ChartDescription, StateDescription, TransitionDescription } from './describe.js';

/** What is to be added to one transition, or to one state. */
export interface Annotator {
  state?(state: StateDescription): Partial<StateDescription>;
  transition(transition: TransitionDescription, state: StateDescription): Partial<TransitionDescription>;
}

export function annotate(description: ChartDescription, annotator: Annotator): ChartDescription {
  const annotated = (state: StateDescription): StateDescription => ({
    ...state,
    ...annotator.state?.(state),
    transitions: state.transitions.map((transition) => ({
      ...transition,
      ...annotator.transition(transition, state),
    })),
    states: state.states.map(annotated),
  });
  return { ...description, root: annotated(description.root) };
}
