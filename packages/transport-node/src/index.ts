export {
  type AcceptProxied,
  type ProxiedConnection,
  type ProxiedOptions,
  ProxyProtocolError,
  type ProxyProtocolFailure,
  proxiedAcceptor,
} from './accept-proxied.js';
export { ConnectError, type ConnectOptions, connect } from './connect.js';
export {
  type ConnectionLimit,
  type ConnectionLimiter,
  type ConnectionLimiterOptions,
  type CountingLimiter,
  connectionLimiter,
} from './connection-limiter.js';
export { duplexOf, type SocketLike } from './duplex-of.js';
export {
  type ArrivalInformation,
  type Listener,
  type ListenerAddress,
  type ListenOptions,
  listen,
} from './listen.js';
export {
  type Excess,
  type MailListenOptions,
  type MailServer,
  type MailServerOptions,
  type MailSessionOptions,
  startMailServer,
} from './mail-server.js';
export { nodeCryptography } from './node-cryptography.js';
export { type StreamOfOptions, secureStreamOf, socketOf, streamOf } from './stream-of.js';
export { systemClock } from './system-clock.js';
export { systemCode } from './system-error.js';
export {
  type CertificateAndKey,
  createTlsContext,
  type TlsContext,
  type TlsContextFromFiles,
  type TlsContextSource,
  type TlsSettings,
  tlsContextFromFiles,
} from './tls-context.js';
export {
  type ClientTlsOptions,
  checkClientTls,
  type ServerTlsOptions,
  type TlsContextChoice,
} from './tls-options.js';
export { trustedPeers } from './trusted-peers.js';
