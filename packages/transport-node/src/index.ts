export { ConnectError, type ConnectOptions, connect } from './connecting/connect.js';
export {
  type ConnectionLimit,
  type ConnectionLimiter,
  type ConnectionLimiterOptions,
  type CountingLimiter,
  connectionLimiter,
} from './listening/connection-limiter.js';
export {
  type ArrivalInformation,
  type Listener,
  type ListenerAddress,
  type ListenOptions,
  listen,
} from './listening/listen.js';
export {
  type Excess,
  type MailListenOptions,
  type MailServer,
  type MailServerOptions,
  type MailSessionOptions,
  startMailServer,
} from './listening/mail-server.js';
export { nodeCryptography } from './node-cryptography.js';
export {
  type AcceptProxied,
  type ProxiedConnection,
  type ProxiedOptions,
  ProxyProtocolError,
  type ProxyProtocolFailure,
  proxiedAcceptor,
} from './proxies/accept-proxied.js';
export { trustedPeers } from './proxies/trusted-peers.js';
export { duplexOf, type SocketLike } from './streams/duplex-of.js';
export { type StreamOfOptions, secureStreamOf, socketOf, streamOf } from './streams/stream-of.js';
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
} from './tls/tls-context.js';
export {
  type ClientTlsOptions,
  checkClientTls,
  type ServerTlsOptions,
  type TlsContextChoice,
} from './tls/tls-options.js';
