/** `@sansmtp/testing/model`: what a server may reply, and what a client may say, by the RFCs alone. */

export { ClientModel, type Fate, fatesOf, type SentTransaction } from './client-model.js';
export { readMailData } from './mail-data.js';
export { type ModelInput, ServerModel, type Violation } from './server-model.js';
export type {
  ModelReply,
  ServerFacts,
  ServerModelState,
  StoredMessage,
  Transaction,
} from './server-state.js';
