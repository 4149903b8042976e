/**
 * What the application may do in a state: what the chart has a transition for. Nothing here knows the states; the chart
 * is asked with an event for each kind of input.
 */
import { LocalProtocolError } from '../../errors.js';
import type { ClientChartEvent, ClientState } from '../chart/chart-events.js';
import type { ClientInput } from './messages.js';

/** The inputs by which the application acts, each with an event that the chart takes wherever it takes them. */
const actions: readonly { readonly inputs: string; readonly event: ClientChartEvent }[] = [
  { inputs: 'send', event: { type: 'send', recipients: 1, chunks: 0 } },
  { inputs: 'inquire', event: { type: 'inquire' } },
  { inputs: 'mailData, endOfMailData', event: { type: 'endOfMailData' } },
  { inputs: 'quit', event: { type: 'quit' } },
  { inputs: 'tlsEstablished, tlsFailed', event: { type: 'tlsEstablished' } },
  { inputs: 'computed', event: { type: 'computed' } },
];

/**
 * The error for an input that is not allowed; it names those that are.
 * @param takes whether the chart has a transition for an event, as things stand
 */
export function notAllowed(
  input: ClientInput['type'],
  state: ClientState,
  takes: (event: ClientChartEvent) => boolean,
): LocalProtocolError {
  const allowed = actions.filter(({ event }) => takes(event)).map(({ inputs }) => inputs);
  if (state === 'session.transaction.abandoned') allowed.push('lost, once the connection is closed');
  return new LocalProtocolError(state, `${input} came`, allowed.join(', ') || 'only to wait');
}
