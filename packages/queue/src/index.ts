export {
  NotInQueueError,
  QueueClosedError,
  QueueFullError,
  QueueInUseError,
  QueueUnreadableError,
  StaleClaimError,
} from './contract/errors.js';
export { COMMITTING_LEASE, FINAL_REPLY_TIMEOUT, mayWriteFinalDot } from './contract/lease.js';
export type {
  Attempt,
  Claim,
  FinishedRecipient,
  Marks,
  MessageState,
  MessageWithBody,
  NewMessage,
  QueuedMessage,
  QueuedRecipient,
  Settlement,
  WaitingRecipient,
} from './contract/messages.js';
export type {
  ClaimRequest,
  DomainCount,
  QueueCount,
  QueueLimits,
  QueueStore,
  RetrySelection,
} from './contract/queue-store.js';
export { DEFAULT_MAXIMUM_MESSAGES } from './contract/queue-store.js';
export { senderOf } from './contract/sender.js';
export type { QueueDamage } from './embedded/damaged-folder.js';
export { type OpenQueueOptions, openQueue } from './embedded/open-queue.js';
export { type QueuedResult, type QueuedTransport, queuedTransport } from './nodemailer/queued-transport.js';
export {
  createOutbox,
  type Outbox,
  type OutboxBody,
  type OutboxOptions,
  type OutboxSendOptions,
} from './outbox/outbox.js';
export { TooManyHopsError } from './relay/hop-count.js';
export {
  type AcceptOptions,
  createRelay,
  type Relay,
  type RelayStatus,
  type StopOptions,
} from './relay/relay.js';
export type { RelayOptions } from './relay/relay-options.js';
export type { Bounce, RecipientEvent, RelayEvent, RelayObserver } from './relay/telling/relay-events.js';
export type { DestinationStatus, Down } from './scheduler/destinations.js';
export type { Deliverer, NextHop, Routes } from './scheduler/routes.js';
export { createDkimSigner, type DkimKey, type DkimSigner } from './signing/dkim.js';
