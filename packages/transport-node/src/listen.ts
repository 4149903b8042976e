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
  type Socket,
} from 'node:net';
import { type ByteStream, type PeerInformation, TlsError } from '@sansmtp/transport';
import { type ProxiedOptions, proxiedAcceptor } from './accept-proxied.js';
import { SocketStream } from './socket-stream.js';
import { systemCode } from './system-error.js';
import { shakeHands } from './tls-handshake.js';
import { type ServerTlsOptions, serverSide } from './tls-options.js';

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
   * Told when a connection could not be accepted, when the handshake of implicit TLS failed (with a `TlsError`), and
   * when there was no PROXY header (with a `ProxyProtocolError`). The listener goes on.
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
  /** @default no TLS */
  readonly tls?: ServerTlsOptions;
  /**
   * Every connection begins with a PROXY header, before TLS too; those of others than the trusted are refused.
   * @default clients connect by themselves
   */
  readonly proxied?: ProxiedOptions;
  /**
   * Connections at a time whose PROXY header, or handshake of implicit TLS, is under way: no session counts them yet.
   * Who connects beyond it is dropped, and told to `onError`.
   * @default 1000
   */
  readonly maximumArriving?: number;
};

export type ListenerAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface Listener {
  readonly address: ListenerAddress;
  /**
   * Accepts nothing more, gives up the PROXY headers and handshakes of implicit TLS that are under way, and frees the
   * address. The streams go on: each is its holder's to end.
   */
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
 * sends before `open()` is kept. With implicit TLS, `onStream` comes when the handshake stands. Nothing limits how
 * long a stream may stay open: that is for its holder to watch.
 * @throws the system's error when the address cannot be had: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …
 * @throws {RangeError} an option of `proxied` is out of its range
 */
export async function listen(
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<Listener> {
  const { onError, backlog = 511, keepAlive = true, noDelay = true, tls, maximumArriving = 1000 } = options;
  const side = tls && serverSide(tls);
  const acceptProxied = options.proxied && proxiedAcceptor(options.proxied);
  /** Connections whose header or handshake is under way. */
  const arriving = new Set<Socket>();
  let closed = false;

  const arrive = (socket: Socket, peer?: PeerInformation) => {
    const known = peer && { peer };
    if (side === undefined || tls?.mode === 'startTls') {
      arriving.delete(socket);
      onStream(new SocketStream(socket, { ...known, side }));
      return;
    }
    shakeHands(socket, side, (outcome) => {
      arriving.delete(socket);
      if (closed) socket.destroy();
      else if (outcome instanceof TlsError) onError?.(outcome);
      else onStream(new SocketStream(socket, { ...known, secured: outcome }));
    });
  };

  const server = createServer({ allowHalfOpen: true, keepAlive, noDelay }, (socket) => {
    if (acceptProxied === undefined && tls?.mode !== 'implicit') {
      arrive(socket);
      return;
    }
    if (arriving.size >= maximumArriving) {
      socket.on('error', () => {});
      socket.destroy();
      onError?.(new Error(`Dropped a connection: ${maximumArriving} others are still arriving`));
      return;
    }
    arriving.add(socket);
    if (acceptProxied === undefined) {
      arrive(socket);
      return;
    }
    acceptProxied(socket, ({ peer }) => arrive(socket, peer)).catch((error: Error) => {
      arriving.delete(socket);
      if (!closed) onError?.(error);
    });
  });

  if ('path' in options) await listenOnPath(server, options.path, backlog);
  else await listenOnce(server, { host: options.host ?? '127.0.0.1', port: options.port, backlog });
  server.on('error', (error) => onError?.(error));

  return {
    address: addressOf(server),
    async close() {
      // Node stops listening at once; it calls back only when the last connection is gone, too late for this.
      server.close();
      closed = true;
      for (const socket of arriving) socket.destroy();
    },
  };
}
