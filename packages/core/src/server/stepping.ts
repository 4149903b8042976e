/**
 * The chart taken a step on, with what it says is to be done performed at once, and the step told to who observes.
 */
import type { ChartState } from '../chart/table/compile.js';
import type { Effect } from '../chart/table/operations.js';
import { changesBetween } from '../chart/table/transition-record.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ServerContext } from './chart/chart-context.js';
import type { ServerChartEvent, ServerState } from './chart/chart-events.js';
import type { Dialogue } from './dialogue.js';
import type { Observing } from './observing.js';
import { performAll } from './performing.js';
import { serverTable } from './server-table.js';

/** The chart's events; a deadline is one by its name. */
type StepEvent = ServerChartEvent | { readonly type: string };

/** The states of an AUTH exchange. */
const AUTHENTICATING = 'session.authenticating.';

/** Takes the chart one step on and performs its effects. */
export function step(dialogue: Dialogue, event: StepEvent): true {
  const { position, observing } = dialogue;
  const from = position.value;
  const before = observing?.wants('transition') ? position.position() : undefined;
  const effects = position.step(event);
  if (effects === undefined)
    throw new Error(`The server chart has no transition for ${event.type} in ${from}`);
  const to = position.value;
  if (observing !== undefined) observeStep(dialogue, observing, event, from, before, effects);
  // The peer did something that leaves the state as it is: a wait begins anew all the same.
  if (to === from) dialogue.restartDeadlines();
  else if (dialogue.ending === undefined && (to === 'closing' || to === 'closed')) {
    dialogue.ending = { event: event.type, from, to };
  }
  performAll(dialogue, effects);
  // Nothing of an exchange outlives it: it may hold a password, or have been begun where AUTH is not legal.
  const exchange = dialogue.command?.exchange;
  if (exchange !== undefined && !to.startsWith(AUTHENTICATING)) {
    dialogue.command = undefined;
    const { decision } = exchange;
    if (decision !== undefined) dialogue.giving.emit({ type: 'authenticationDecided', decision });
  }
  return true;
}

/** A limit was reached that is none of the protocol's, or another protocol is spoken. */
export function cutOff(dialogue: Dialogue, refusal: Reply): true {
  return step(dialogue, { type: 'cutOff', refusal });
}

function observeStep(
  { position, command, question, answer }: Dialogue,
  observing: Observing,
  event: StepEvent,
  from: string,
  before: ChartState<ServerContext> | undefined,
  effects: readonly Effect[],
): void {
  observing.step(from as ServerState);
  const explanation = before && serverTable.explain(before, event);
  const to = position.value as ServerState;
  if (before && explanation) {
    const changes = changesBetween(before.context, position.position().context);
    observing.transition(event, from as ServerState, to, effects, changes, explanation);
  }
  const exchange = command?.exchange;
  if (exchange !== undefined && from.startsWith(AUTHENTICATING) && !to.startsWith(AUTHENTICATING)) {
    observing.authentication(exchange);
  }
  // Whoever is gone by now, or is sent away, hears nothing of the message that was being decided on.
  if (question?.kind === 'message' && answer === undefined) {
    observing.message(question.envelope, question.size, [], 'undecided');
  }
}
