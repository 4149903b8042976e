export type { ByteStream, ByteStreamListener, PeerInformation } from './byte-stream.js';
export {
  type CancelSignal,
  type ClientConnection,
  type MessageSource,
  type OpenSessionOptions,
  openSession,
} from './client-driver.js';
export type { Clock } from './clock.js';
export {
  type HandlerResult,
  type IncomingMessage,
  MailDataAbandonedError,
  Rejection,
  type ServerHandlers,
  type ServerSessionInformation,
} from './handlers.js';
export { type ServeOptions, type ServerConnection, serveSession } from './server-driver.js';
export { SessionError } from './session-error.js';
export { thrownError } from './thrown-error.js';
