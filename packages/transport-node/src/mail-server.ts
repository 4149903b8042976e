/**
 * A mail server: listeners, and the sessions of those who connect, up to a limit; and their end.
 */
import { ServerSession } from '@sansmtp/core';
import {
  type ByteStream,
  Rejection,
  type ServeOptions,
  type ServerConnection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { type Listener, type ListenerAddress, type ListenOptions, listen } from './listen.js';
import { systemClock } from './system-clock.js';

export interface MailServerOptions {
  /** Where to listen. */
  readonly addresses: readonly ListenOptions[];
  /** For the sessions of all who connect. */
  readonly handlers: ServerHandlers;
  /** @default what `ServerSessionOptions` says */
  readonly session?: Omit<ServeOptions, 'clock'>;
  /**
   * Sessions at a time, on all addresses together. Who connects beyond it is told 421 4.3.2 (RFC 5321 §3.8), or
   * dropped when a hundred are being told already.
   * @default 10000
   */
  readonly maximumConnections?: number;
  /** Called for each connection beyond the limit. */
  readonly onExcess?: () => void;
}

export interface MailServer {
  /** In the order of the options. */
  readonly addresses: readonly ListenerAddress[];
  /**
   * Stops listening, tells those who wait 421 4.3.2, and lets messages under way come to their end, for as long as
   * `grace` allows; what is left then is aborted. Resolves when all connections are closed.
   * @param grace milliseconds; 0 aborts messages under way almost at once
   */
  shutdown(grace: number): Promise<void>;
}

/** Who connects beyond the limit is told so, but only so many at a time: then connections are dropped unheard. */
const MAXIMUM_REFUSED = 100;

const REFUSING: ServerHandlers = {
  onConnect() {
    throw new Rejection(421, '4.3.2', 'Too many connections; try again later');
  },
  onMessage() {},
};

/**
 * Listens, and serves SMTP to all who connect. To end it, call `shutdown()`.
 * @throws {RangeError} an option of `session` is out of its range
 * @throws the system's error when one of the addresses cannot be had: it listens on none of them then
 */
export async function startMailServer(options: MailServerOptions): Promise<MailServer> {
  const { addresses, handlers, session = {}, maximumConnections = 10_000, onExcess } = options;
  // What is wrong with the options shows here, and not when the first client connects.
  new ServerSession({ ...session, now: systemClock.now() });
  const served = new Set<ServerConnection>();
  const refused = new Set<ServerConnection>();
  let stopping = false;

  const accept = (stream: ByteStream) => {
    const excess = served.size >= maximumConnections;
    if (excess) onExcess?.();
    if (excess && refused.size >= MAXIMUM_REFUSED) {
      stream.abort();
      return;
    }
    const connections = excess ? refused : served;
    const connection = serveSession(stream, excess ? REFUSING : handlers, { ...session, clock: systemClock });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    if (stopping) connection.shutdown();
  };

  const listeners: Listener[] = [];
  const close = () => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const address of addresses) listeners.push(await listen(address, accept));
  } catch (error) {
    await close();
    throw error;
  }

  return {
    addresses: listeners.map(({ address }) => address),
    async shutdown(grace) {
      stopping = true;
      await close();
      const connections = [...served, ...refused];
      for (const connection of connections) connection.shutdown();
      const cancelAbort = systemClock.set(systemClock.now() + grace, () => {
        for (const connection of connections) connection.abort();
      });
      await Promise.all(connections.map(({ closed }) => closed));
      cancelAbort();
    },
  };
}
