export {
  type FailureLimiter,
  type FailureLimiterOptions,
  failureLimiter,
} from './authentication/failure-limiter.js';
export {
  MAXIMUM_STORED_ITERATIONS,
  type PasswordHandlers,
  type PasswordUsersOptions,
  passwordMechanisms,
  passwordUsers,
  type StoredUser,
  type UserLookup,
} from './authentication/password-users.js';
export {
  type Cryptography,
  UnsupportedComputationError,
  type WebCrypto,
  webCryptography,
} from './cryptography.js';
export { checkHandlers, checkStream } from './given-options.js';
export { complain, guarded } from './guarded.js';
export { guardedListener } from './guarded-listener.js';
export {
  type AuthenticationResult,
  type AuthenticationVerdict,
  type CredentialsResult,
  type HandlerResult,
  type HelloResult,
  type HelloVerdict,
  type IncomingBody,
  type IncomingMessage,
  MailDataAbandonedError,
  type MessageResult,
  Rejection,
  type ServerHandlers,
  type ServerSessionInformation,
} from './handlers/handlers.js';
export { tellOfConnection } from './observing/audience.js';
export { connectionId } from './observing/connection-id.js';
export type {
  ClientObserver,
  ClientSessionEvent,
  ClosedEvent,
  ConnectionEvent,
  Ending,
  EventOfType,
  Observer,
  ServerEvent,
  ServerObserver,
} from './observing/observer.js';
export type {
  CancelSignal,
  ClientConnection,
  MessageSource,
  OpenSessionOptions,
  SessionSendOptions,
} from './sending/client-connection.js';
export { checkOpenOptions, openSession } from './sending/client-driver.js';
export { heedErrors } from './sending/message-sending.js';
export { SessionError } from './sending/session-error.js';
export { clientNetwork } from './serving/client-network.js';
export { ForeignProtocolError } from './serving/foreign-protocol-error.js';
export { withoutSession } from './serving/live-information.js';
export type { ServeOptions, ServerConnection } from './serving/server-connection.js';
export {
  checkServeOptions,
  preparedToServe,
  type SessionHost,
  serveSession,
} from './serving/server-driver.js';
export type { ByteStream, ByteStreamListener, PeerInformation } from './streams/byte-stream.js';
export type { Arrival, ConnectionInformation } from './streams/session-information.js';
export type { WebStream, WebStreamReader } from './streams/web-stream.js';
export { thrownError } from './thrown-error.js';
export type { Clock } from './time/clock.js';
export { TlsError } from './tls/tls-error.js';
