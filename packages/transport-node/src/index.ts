export { ConnectError, type ConnectOptions, connect } from './connect.js';
export { type Listener, type ListenerAddress, type ListenOptions, listen } from './listen.js';
export { type MailServer, type MailServerOptions, startMailServer } from './mail-server.js';
export { systemClock } from './system-clock.js';
export { systemCode } from './system-error.js';
