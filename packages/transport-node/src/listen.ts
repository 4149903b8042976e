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
import { checkCount, checkNotEmpty } from './option-checks.js';
import { SocketStream } from './socket-stream.js';
import { systemCode } from './system-error.js';
import { shakeHands } from './tls-handshake.js';
import { type ServerTlsOptions, serverSide } from './tls-options.js';

/**
 * Where `listen` listens, a TCP port or a Unix socket, and what stands between a connection and its stream: a PROXY
 * header, TLS.
 */
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

/** What `listen` gives: an address that is held until `close()`. */
export interface Listener {
  /** With the port that the system chose, if it was 0. */
  readonly address: ListenerAddress;
  /**
   * Accepts nothing more, gives up the PROXY headers and handshakes of implicit TLS that are under way, and frees the
   * address. The streams go on: each is its holder's to end.
   */
  close(): Promise<void>;
}

/** Connections that may wait to be accepted, if the system does not allow fewer. */
const BACKLOG = 511;

async function listenOnce(server: Server, options: NetListenOptions): Promise<void> {
  await once(server.listen({ ...options, backlog: BACKLOG }), 'listening');
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

async function listenOnPath(server: Server, path: string): Promise<void> {
  try {
    await listenOnce(server, { path });
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE' || !(await isStaleSocket(path))) throw error;
    await unlink(path);
    await listenOnce(server, { path });
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
 * long a stream may stay open: that is for its holder to watch. TCP connections have keep-alive on, and no delay,
 * as those of `connect`.
 * @throws the system's error when the address cannot be had: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …
 * @throws {RangeError} `maximumArriving`, `tls.handshakeTimeout` or an option of `proxied` is out of its range, or `host` or `path` is empty
 */
export async function listen(
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<Listener> {
  const { onError, tls, maximumArriving = 1000 } = options;
  checkCount('maximumArriving', maximumArriving);
  // Node takes an empty host for every address: whoever forgot to set theirs would be open to the world.
  if ('path' in options) checkNotEmpty('path', options.path);
  else if (options.host !== undefined) checkNotEmpty('host', options.host);
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

  const server = createServer({ allowHalfOpen: true, keepAlive: true, noDelay: true }, (socket) => {
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

  if ('path' in options) await listenOnPath(server, options.path);
  else await listenOnce(server, { host: options.host ?? '127.0.0.1', port: options.port });
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
