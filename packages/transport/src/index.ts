export { tellOfConnection } from './audience.js';
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
export type { ByteStream, ByteStreamListener, PeerInformation } from './byte-stream.js';
export type {
  CancelSignal,
  ClientConnection,
  MessageSource,
  OpenSessionOptions,
  SessionSendOptions,
} from './client-connection.js';
export { checkOpenOptions, openSession } from './client-driver.js';
export { clientNetwork } from './client-network.js';
export type { Clock } from './clock.js';
export { connectionId } from './connection-id.js';
export {
  type Cryptography,
  UnsupportedComputationError,
  type WebCrypto,
  webCryptography,
} from './cryptography.js';
export { ForeignProtocolError } from './foreign-protocol-error.js';
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
} from './handlers.js';
export { withoutSession } from './live-information.js';
export { heedErrors } from './message-sending.js';
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
} from './observer.js';
export type { ServeOptions, ServerConnection } from './server-connection.js';
export { checkServeOptions, preparedToServe, serveSession } from './server-driver.js';
export { SessionError } from './session-error.js';
export type { Arrival, ConnectionInformation } from './session-information.js';
export { thrownError } from './thrown-error.js';
export { TlsError } from './tls-error.js';
export type { WebStream, WebStreamReader } from './web-stream.js';
