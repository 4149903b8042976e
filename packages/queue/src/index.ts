export {
  NotInQueueError,
  QueueClosedError,
  QueueInUseError,
  QueueUnreadableError,
  StaleClaimError,
} from './contract/errors.js';
export { COMMITTING_LEASE, FINAL_REPLY_TIMEOUT, mayWriteFinalDot } from './contract/lease.js';
export type {
  Attempt,
  Claim,
  FinishedRecipient,
  MessageState,
  NewMessage,
  QueuedMessage,
  QueuedRecipient,
  Settlement,
  WaitingRecipient,
} from './contract/messages.js';
export type { ClaimRequest, QueueCount, QueueStore, RetrySelection } from './contract/queue-store.js';
export { type OpenQueueOptions, openQueue } from './embedded/open-queue.js';
