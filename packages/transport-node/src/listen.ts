/**
 * The server's side: a listening TCP or Unix socket that turns what it accepts into byte streams.
 *
 * It speaks no protocol: what to say to a connection beyond the limit is for `onExcess` to decide. A file that a
 * Unix socket left behind (its process was killed) is removed when nobody answers there; nothing else is.
 */
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import {
  connect as connectSocket,
  createServer,
  type ListenOptions as NetListenOptions,
  type Server,
} from 'node:net';
import type { ByteStream } from '@sansmtp/transport';
import { SocketStream } from './socket-stream.js';
import { codeOf } from './system-error.js';

export type ListenOptions = (
  | {
      /**
       * Address to listen on; `::` for every one, of IPv4 too.
       * @default '127.0.0.1'
       */
      readonly host?: string;
      /** 0: any free one, see `Listener.address`. */
      readonly port: number;
    }
  | {
      /** File name of a Unix socket, which is made, and removed at close. */
      readonly path: string;
    }
) & {
  /**
   * Streams open at a time. What is accepted beyond goes to `onExcess`.
   * @default no limit
   */
  readonly maximumConnections?: number;
  /**
   * Receives streams beyond `maximumConnections`, for a word of regret before the end; they are not counted.
   * @default they are aborted
   */
  readonly onExcess?: (stream: ByteStream) => void;
  /**
   * Told when a connection could not be accepted. The listener goes on.
   * @default ignored
   */
  readonly onError?: (error: Error) => void;
  /**
   * Connections that wait to be accepted; the system may allow fewer.
   * @default 511
   */
  readonly backlog?: number;
  /** @default true */
  readonly keepAlive?: boolean;
  /**
   * Sends every write at once, instead of holding back small ones (Nagle's algorithm).
   * @default true
   */
  readonly noDelay?: boolean;
};

export type ListenerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Listener {
  readonly address: ListenerAddress;
  /** Streams that were given to `onStream` and are not closed. */
  readonly connections: number;
  /** Accepts nothing more, and frees the address. The streams go on: each is its holder's to end. */
  close(): Promise<void>;
  /** Aborts every stream that is open, those beyond the limit too. Accepts more unless closed before. */
  abortStreams(reason?: Error): void;
}

async function listenOnce(server: Server, options: NetListenOptions): Promise<void> {
  await once(server.listen(options), 'listening');
}

/** Whether a connection attempt is refused: somebody who only has no room for it gives another error. */
async function isRefused(path: string): Promise<boolean> {
  const socket = connectSocket({ path });
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return codeOf(error) === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** Connecting to a file that is no socket is refused just the same, so look before. */
async function isStaleSocket(path: string): Promise<boolean> {
  return (await lstat(path)).isSocket() && (await isRefused(path));
}

async function listenOnPath(server: Server, path: string, backlog: number): Promise<void> {
  try {
    await listenOnce(server, { path, backlog });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
    await unlink(path);
    await listenOnce(server, { path, backlog });
  }
}

function addressOf(server: Server): ListenerAddress {
  const address = server.address();
  if (address === null) throw new Error('The server has no address: it does not listen.');
  if (typeof address === 'string') return { kind: 'unix', path: address };
  return { kind: 'tcp', host: address.address, port: address.port };
}

/**
 * Listens, and gives each connection to `onStream`, which must not throw: nobody would catch it. What the peer
 * sends before `open()` is kept. Nothing limits how long a stream may stay open: that is for its holder to watch.
 * @throws the system's error when the address cannot be had: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …
 */
export async function listen(
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<Listener> {
  const { maximumConnections = Number.POSITIVE_INFINITY, backlog = 511 } = options;
  const { onExcess, onError, keepAlive = true, noDelay = true } = options;
  const accepted = new Set<SocketStream>();
  const excess = new Set<SocketStream>();
  const server = createServer({ allowHalfOpen: true, keepAlive, noDelay }, (socket) => {
    if (accepted.size < maximumConnections) {
      onStream(new SocketStream(socket, accepted));
      return;
    }
    const stream = new SocketStream(socket, excess);
    if (onExcess === undefined) stream.abort();
    else onExcess(stream);
  });

  if ('path' in options) await listenOnPath(server, options.path, backlog);
  else await listenOnce(server, { host: options.host ?? '127.0.0.1', port: options.port, backlog });
  server.on('error', (error) => onError?.(error));

  return {
    address: addressOf(server),
    get connections() {
      return accepted.size;
    },
    async close() {
      // Node stops listening at once; it calls back only when the last connection is gone, too late for this.
      server.close();
    },
    abortStreams(reason) {
      for (const stream of [...accepted, ...excess]) stream.abort(reason);
    },
  };
}
