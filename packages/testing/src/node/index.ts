export * from '../index.js';
export { type NodeInbox, type NodeInboxOptions, openInbox } from './inbox.js';
export type { NodemailerOptions } from './nodemailer-options.js';
export {
  type NodeScriptedServer,
  type NodeScriptedServerOptions,
  openScriptedServer,
} from './scripted-server.js';
export type { TlsChoice } from './tls-choice.js';
