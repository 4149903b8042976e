/**
 * `@sansmtp/core`: SMTP without I/O. This is the whole public surface.
 *
 * A `ServerSession` or a `ClientSession` takes in bytes, time and decisions, and gives out bytes and questions.
 * The drivers of `@sansmtp/transport` join them to connections.
 */

export type {
  ActionDescription,
  ChartDescription,
  StateDescription,
  TransitionDescription,
  TriggerDescription,
} from './chart/describe.js';
export type { TransitionRecord } from './chart/transition-record.js';
export { describeChart } from './charts.js';
export type { ClientState, ClientTimeouts } from './client/chart.js';
export type * from './client/messages.js';
export type { ClientSessionOptions } from './client/options.js';
export { ClientSession } from './client/session.js';
export { LocalProtocolError, RemoteProtocolError } from './errors.js';
export type { MailParameters, RcptParameters } from './extensions/parameters.js';
export type { ServerState, ServerTimeouts } from './server/chart.js';
export type * from './server/messages.js';
export type { ServerSessionOptions } from './server/options.js';
export { ServerSession } from './server/session.js';
export { isHostName } from './wire/domain.js';
export { MailDataError } from './wire/mail-data-encoder.js';
export { encodeText } from './wire/octets.js';
export {
  type ForwardPath,
  formatMailbox,
  formatPath,
  type Mailbox,
  type PathFailure,
  parseMailbox,
  type ReversePath,
} from './wire/path.js';
export { type Reply, replyText } from './wire/reply.js';
