export { type Chunking, chunking } from './chunkings.js';
export { type CommandOptions, command, mailCommand, nearCommand, rcptCommand } from './commands.js';
export {
  type ClientDialogue,
  clientDialogue,
  type DialogueOptions,
  type DialogueStep,
  octetsOfMessage,
  octetsOfStep,
} from './dialogues.js';
export {
  addressLiteral,
  domain,
  forwardPath,
  internationalDomain,
  internationalMailbox,
  localPart,
  mailbox,
  nearMailbox,
  reversePath,
} from './mailboxes.js';
export { type MessageOptions, message } from './messages.js';
export type { NearValid } from './near-valid.js';
export {
  type GeneratedReply,
  type MalformedReply,
  malformedReply,
  octetsOfReplies,
  type ReplyOptions,
  replies,
  reply,
} from './replies.js';
export { type Link, type LinkOptions, link, serverBehaviour } from './servers.js';
