export { ConnectError, type ConnectOptions, connect } from './connect.js';
export { type Listener, type ListenerAddress, type ListenOptions, listen } from './listen.js';
export { systemClock } from './system-clock.js';
