/**
 * `@sansmtp/core`: SMTP without I/O. This is the whole public surface.
 *
 * A `ServerSession` or a `ClientSession` takes in bytes, time and decisions, and gives out bytes and questions.
 * The drivers of `@sansmtp/transport` join them to connections.
 */

// The charts, and what serves for many sessions. They stand first: in this order the modules compress best.

export { describeChart } from './charts.js';
export {
  type AddressedEnvelope,
  type ClientEnvelope,
  type ClientRecipient,
  type EnvelopeInput,
  type ReceivedEnvelope,
  type RecipientAddress,
  readEnvelope,
} from './client/envelope/envelope.js';
export { PreparedServerOptions } from './server/prepared-options.js';

// All else, by its folder.

export type {
  ActionDescription,
  ChartDescription,
  GuardCombination,
  PlainValues,
  ReplyDescription,
  StateDescription,
  TransitionDescription,
  TriggerDescription,
} from './chart/description/describe.js';
export type {
  ContextChange,
  GuardOutcome,
  SessionEnding,
  TransitionExplanation,
  TransitionRecord,
} from './chart/table/transition-record.js';
export type { ClientTimeouts } from './client/chart/chart-context.js';
export type { ClientState } from './client/chart/chart-events.js';
export type * from './client/contract/messages.js';
export type { ClientAuthentication, ClientSessionOptions } from './client/contract/options.js';
export type * from './client/envelope/outcomes.js';
export type * from './client/observing/protocol-events.js';
export { ClientSession } from './client/session.js';
export { LocalProtocolError, RemoteProtocolError } from './errors.js';
export type { ParameterRule, ServiceExtension, SessionStanding } from './extensions/contract/extension.js';
export type { MailParameters, RcptParameters } from './extensions/contract/parameters.js';
export { type DeliverByOptions, deliverBy } from './extensions/delivery/deliver-by.js';
export { type FutureReleaseBounds, futureRelease } from './extensions/delivery/future-release.js';
export { type MtPriorityOptions, mtPriority } from './extensions/delivery/mt-priority.js';
export { type NoSolicitingOptions, noSoliciting } from './extensions/delivery/no-soliciting.js';
export { requireTls } from './extensions/delivery/require-tls.js';
export { rrvs } from './extensions/delivery/rrvs.js';
export { knownExtensions, standardExtensions } from './extensions/lists.js';
export { ExtensionNotOfferedError } from './extensions/not-offered.js';
export type { ClientAttributes, Unavailable } from './extensions/session/client-attributes.js';
export { etrn } from './extensions/session/etrn.js';
export { type Limits, limits } from './extensions/session/limits.js';
export { kindOf } from './kind-of.js';
export { checkNames, checkObject, namesOf, nearestName } from './option-names.js';
export type {
  AuthenticatedIdentity,
  AuthenticationAttempt,
  AuthenticationGrant,
  ClientChannel,
  ClientCredentials,
  ClientExchange,
  ClientMechanism,
  ClientStep,
  Computation,
  HashName,
  Judgement,
  MechanismName,
  ServerChannel,
  ServerExchange,
  ServerMechanism,
  ServerOutcome,
  ServerStep,
  StoredCredentials,
  TokenError,
} from './sasl/exchange/exchange.js';
export { saslPrepare } from './sasl/exchange/prepare.js';
export {
  type ScramCredentials,
  type ScramHash,
  type ScramKeysOptions,
  scramKeys,
} from './sasl/scram/scram-keys.js';
export { Secret } from './secret.js';
export type { ServerTimeouts } from './server/chart/chart-context.js';
export type { ServerState } from './server/chart/chart-events.js';
export type * from './server/contract/messages.js';
export type { ServerAuthenticationOptions, ServerSessionOptions } from './server/contract/options.js';
export type * from './server/decisions/questions.js';
export type { ReplyOccasion, ReplyTitle } from './server/decisions/replies.js';
export type { Withheld } from './server/decisions/withholding.js';
export type { RecordedLine } from './server/observing/line-record.js';
export type * from './server/observing/protocol-events.js';
export { ServerSession } from './server/session.js';
export type * from './tls.js';
export { type Address, readForwardPath, readReversePath } from './wire/commands/address.js';
export { isHostName } from './wire/commands/domain.js';
export {
  type ForwardPath,
  formatMailbox,
  formatPath,
  type Mailbox,
  type PathFailure,
  parseMailbox,
  type ReversePath,
} from './wire/commands/path.js';
export { commandSpans, replyOctets, type Span } from './wire/commands/spans.js';
export type { ForeignProtocol } from './wire/foreign-protocol.js';
export { type DecodedMailData, MailDataDecoder } from './wire/mail-data/mail-data-decoder.js';
export { MailDataError } from './wire/mail-data/mail-data-encoder.js';
export { concatenate, encodeText } from './wire/octets.js';
export { isReply, type Reply, replyText } from './wire/replies/reply.js';
