/**
 * The server's side: a listening TCP or Unix socket that turns what it accepts into byte streams.
 *
 * It speaks no protocol, and counts nothing: that is for `startMailServer`. A file that a Unix socket left behind
 * (its process was killed) is removed when nobody answers there; nothing else is.
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
import { systemCode } from './system-error.js';

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
  /** Accepts nothing more, and frees the address. The streams go on: each is its holder's to end. */
  close(): Promise<void>;
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
    return systemCode(error) === 'ECONNREFUSED';
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
    if (systemCode(error) !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
    await unlink(path);
    await listenOnce(server, { path, backlog });
  }
}

function addressOf(server: Server): ListenerAddress {
  const address = server.address();
  if (address === null) throw new Error('The server has no address: it does not listen');
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
  const { onError, backlog = 511, keepAlive = true, noDelay = true } = options;
  const server = createServer({ allowHalfOpen: true, keepAlive, noDelay }, (socket) => {
    onStream(new SocketStream(socket));
  });

  if ('path' in options) await listenOnPath(server, options.path, backlog);
  else await listenOnce(server, { host: options.host ?? '127.0.0.1', port: options.port, backlog });
  server.on('error', (error) => onError?.(error));

  return {
    address: addressOf(server),
    async close() {
      // Node stops listening at once; it calls back only when the last connection is gone, too late for this.
      server.close();
    },
  };
}
