/**
 * Listeners, and the sessions of those who connect, up to a limit; and their end.
 */
import type { ServerSessionOptions } from '@sansmtp/core';
import {
  type ByteStream,
  Rejection,
  type ServerConnection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import {
  type Listener,
  type ListenerAddress,
  type ListenOptions,
  listen,
  systemClock,
} from '@sansmtp/transport-node';

export interface MailServerOptions {
  /** Where to listen. */
  readonly addresses: readonly ListenOptions[];
  readonly handlers: ServerHandlers;
  readonly session: ServerSessionOptions;
  /** Sessions at a time, on all addresses. Beyond it: 421 4.3.2. */
  readonly maximumConnections: number;
  readonly onExcess: () => void;
  /** A connection could not be accepted. */
  readonly onError: (error: Error) => void;
}

export interface MailServer {
  /** In the order of the options. */
  readonly addresses: readonly ListenerAddress[];
  /**
   * Stops listening, tells those who wait 421 4.3.2, and lets messages under way come to their end, for as long as
   * `grace` allows. Resolves when all connections are closed.
   * @param grace milliseconds
   */
  shutdown(grace: number): Promise<void>;
}

const refusing: ServerHandlers = {
  onConnect() {
    throw new Rejection(421, '4.3.2', 'Too many connections; try again later');
  },
  onMessage() {},
};

/** @throws the system's error when one of the addresses cannot be had: it listens on none of them then */
export async function startMailServer(options: MailServerOptions): Promise<MailServer> {
  const { addresses, handlers, session, maximumConnections, onExcess, onError } = options;
  const served = new Set<ServerConnection>();
  const refused = new Set<ServerConnection>();
  let stopping = false;

  const accept = (stream: ByteStream) => {
    const excess = served.size >= maximumConnections;
    if (excess) onExcess();
    const connections = excess ? refused : served;
    const connection = serveSession(stream, excess ? refusing : handlers, { ...session, clock: systemClock });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
    if (stopping) connection.shutdown();
  };

  const listeners: Listener[] = [];
  const close = () => Promise.all(listeners.map((listener) => listener.close()));
  try {
    for (const address of addresses) listeners.push(await listen({ ...address, onError }, accept));
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
      const timer = setTimeout(() => {
        for (const connection of connections) connection.abort();
      }, grace);
      await Promise.all(connections.map(({ closed }) => closed));
      clearTimeout(timer);
    },
  };
}
