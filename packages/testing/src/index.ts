export { type Inbox, openInbox } from './inbox/inbox.js';
export type { InboxOptions } from './inbox/inbox-options.js';
export type { MessageCriteria } from './mail/criteria.js';
export { type Mail, type NextOptions, NoSuchMessageError } from './mail/mail-list.js';
export type { ReceivedMessage } from './mail/received-message.js';
export { type MailMatchers, type MatcherResult, mailMatchers } from './matchers/mail-matchers.js';
export type { History, MessageToSend, SentMessage, StreamUse } from './pair/history.js';
export {
  backpressureIsHeeded,
  checkInvariants,
  deliveredIsStored,
  everythingEnds,
  type Invariant,
  InvariantError,
  invariants,
  nothingAfterClose,
  repliesMatchCommands,
  storedIsNotRefused,
  storedIsWhatWasSent,
  tlsBeginsAnew,
} from './pair/invariants.js';
export { type Decision, type PairOptions, runPair } from './pair/run-pair.js';
export type { PassedMoment } from './script/passed-moment.js';
export type { Moment, ReplyText, Script, Step, StepDetails, Steps } from './script/script.js';
export {
  openScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from './script/scripted-server.js';
export type { SpokenLine } from './script/transcript.js';
export type { KitTime, TimeOptions } from './time/kit-time.js';
export { StalledError } from './time/stalled-error.js';
