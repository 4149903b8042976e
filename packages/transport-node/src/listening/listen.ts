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
import { checkObject, namesOf } from '@sansmtp/core';
import {
  type ByteStream,
  clientNetwork,
  complain,
  guarded,
  type PeerInformation,
  TlsError,
  thrownError,
} from '@sansmtp/transport';
import { canonicalAddress } from '../canonical-address.js';
import { type AnyOf, checkCount, checkNotEmpty, checkPort } from '../option-checks.js';
import { type ProxiedOptions, proxiedAcceptor } from '../proxies/accept-proxied.js';
import { canLend, canLendTls } from '../streams/lent-buffer.js';
import { localOf, peerOf } from '../streams/socket-peer.js';
import { SocketStream } from '../streams/socket-stream.js';
import { systemCode } from '../system-error.js';
import { shakeHands } from '../tls/tls-handshake.js';
import { HELD_WHILE_PAUSED, type ServerTlsOptions, serverSide } from '../tls/tls-options.js';
import { Arrivals } from './arrivals.js';

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
   * when there was no PROXY header (with a `ProxyProtocolError`); with whose connection it was, if it was one. The
   * listener goes on, also when this throws.
   * @default ignored
   */
  readonly onError?: (error: Error, arrival?: ArrivalInformation) => void;
  /** @default no TLS */
  readonly tls?: ServerTlsOptions;
  /**
   * Every connection begins with a PROXY header, before TLS too; those of others than the trusted are refused, or taken
   * without one (`others`).
   * @default clients connect by themselves
   */
  readonly proxied?: ProxiedOptions;
  /**
   * Connections at a time whose PROXY header, or TLS handshake, is under way. Beyond it room is made: the oldest of the
   * client that has most of them is dropped, and told to `onError`. A client is an IPv4 address or an IPv6 /64.
   * @default 1000, and none for loopback, Unix sockets, and who is trusted to send PROXY headers
   */
  readonly maximumArriving?: number;
};

/** Whose connection it was that could not be accepted, and where it came in. */
export interface ArrivalInformation {
  readonly peer: PeerInformation;
  readonly local: PeerInformation;
}

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

/** The names of all options of an address. */
export const LISTEN_NAMES = namesOf<AnyOf<ListenOptions>>({
  host: true,
  port: true,
  path: true,
  onError: true,
  tls: true,
  proxied: true,
  maximumArriving: true,
});

/**
 * Whether somebody can listen there.
 * @param where stands before each name, as in `addresses[0].`
 * @throws {TypeError} there is neither a port nor a path, or both
 * @throws {RangeError} the port, host or path is none
 */
export function checkListenable(options: ListenOptions, where = ''): void {
  const { port, path, host } = options as Partial<Record<'port' | 'path' | 'host', never>>;
  if (port === undefined && path === undefined) {
    throw new TypeError(
      `The option ${where}port is missing; give a port (0 for any free one), or the path of a Unix socket`,
    );
  }
  if (path === undefined) {
    checkPort(`${where}port`, port as unknown as number);
    // Node takes an empty host for every address: whoever forgot to set theirs would be open to the world.
    if (host !== undefined) checkNotEmpty(`${where}host`, host);
    return;
  }
  if (port !== undefined)
    throw new TypeError(`The options ${where}port and ${where}path exclude each other; leave one out`);
  checkNotEmpty(`${where}path`, path);
}

/** Where all connect who connect to this address; undefined: to any of this machine's, so each has to be asked. */
function commonLocal(address: ListenerAddress): PeerInformation | undefined {
  if (address.kind !== 'tcp') return undefined;
  const host = canonicalAddress(address.host);
  return host === '0.0.0.0' || host === '::' ? undefined : { address: host, port: address.port };
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
 * Listens, and gives each connection to `onStream`; if that throws, the stream is aborted, and `onError` gets what was
 * thrown. What the peer sends before `open()` is kept. With implicit TLS, `onStream` comes when the handshake stands. Nothing limits how
 * long a stream may stay open: that is for its holder to watch. TCP connections have no delay (and no keep-alive: the system's
 * is of two hours, and a session's deadlines are shorter).
 * @throws the system's error when the address cannot be had: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …
 * @throws {RangeError} `port`, `host`, `path`, `maximumArriving`, or an option of `tls` or `proxied`, is out of its range
 * @throws {TypeError} an option is not known; there is neither `port` nor `path`, or no `onStream`
 */
export async function listen(
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<Listener> {
  checkObject('The option', options, LISTEN_NAMES);
  checkListenable(options);
  if (typeof onStream !== 'function') {
    throw new TypeError(
      'onStream is missing; listen(options, onStream) takes a function that gets each stream',
    );
  }
  return listenAmong(arrivalLimit(options.maximumArriving), options, onStream);
}

/** How many may be arriving, and who counts. */
export interface ArrivalLimit {
  readonly arrivals: Arrivals;
  /** Those who are spared otherwise count, too. */
  readonly forAll: boolean;
  readonly clientOf: (peer: PeerInformation) => string | undefined;
}

/** Under what a client counts where nobody is spared. */
export function anyClient(peer: PeerInformation): string {
  return clientNetwork(peer) ?? peer.address ?? 'unix';
}

/** @throws {RangeError} `maximumArriving` is out of its range */
export function arrivalLimit(
  maximumArriving: number | undefined,
  isSpared: (peer: PeerInformation) => boolean = () => false,
): ArrivalLimit {
  if (maximumArriving === undefined) {
    const clientOf = (peer: PeerInformation) => (isSpared(peer) ? undefined : clientNetwork(peer));
    return { arrivals: new Arrivals(1000), forAll: false, clientOf };
  }
  checkCount('maximumArriving', maximumArriving);
  return { arrivals: new Arrivals(maximumArriving), forAll: true, clientOf: anyClient };
}

/** Like `listen`, with a limit that other listeners may share, and options that were checked. */
export async function listenAmong(
  { arrivals, forAll, clientOf }: ArrivalLimit,
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<Listener> {
  const { tls } = options;
  const onError = (error: Error, arrival?: ArrivalInformation) =>
    guarded(
      () => options.onError?.(error, arrival),
      (thrown) => complain('onError', thrown),
    );
  const give = (stream: SocketStream) =>
    guarded(
      () => onStream(stream),
      (thrown) => {
        const { peer, local } = stream;
        stream.abort(thrownError(thrown, 'onStream'));
        onError(thrownError(thrown, 'onStream'), { peer, local });
      },
    );
  // Not every caller is compiled, and null is no way to say that there is none.
  const side = tls === undefined ? undefined : serverSide(tls);
  const acceptProxied = options.proxied === undefined ? undefined : proxiedAcceptor(options.proxied);
  /** Connections whose header or handshake is under way. */
  const arriving = new Set<Socket>();
  let closed = false;

  // Whoever connects before it is known is served as well, by arrays of their own.
  let lends = false;
  let lendsTls = false;
  let local: PeerInformation | undefined;
  /** Whose connection it is, as the socket says; of the peer, one that is gone says nothing. */
  const endsOf = (socket: Socket): ArrivalInformation => ({
    peer: peerOf(socket),
    local: local ?? localOf(socket),
  });
  const arrive = (socket: Socket, arrival: ArrivalInformation) => {
    const { peer, local } = arrival;
    if (side === undefined) {
      arriving.delete(socket);
      give(new SocketStream(socket, { peer, local, lends }));
      return;
    }
    if (tls?.mode === 'startTls') {
      arriving.delete(socket);
      const enterHandshake = (giveWay: () => void) => arrivals.enter(clientOf(peer), giveWay);
      give(new SocketStream(socket, { peer, local, lends, side, enterHandshake }));
      return;
    }
    const leave = arrivals.enter(clientOf(peer), () => {
      arriving.delete(socket);
      cancel();
      onError(TlsError.gaveWay(), arrival);
    });
    const cancel = shakeHands(socket, side, (outcome) => {
      arriving.delete(socket);
      leave();
      if (closed) socket.destroy();
      else if (outcome instanceof TlsError) onError(outcome, arrival);
      else give(new SocketStream(socket, { ...arrival, secured: outcome, lends: lendsTls }));
    });
  };

  const sockets = { allowHalfOpen: true, noDelay: true, highWaterMark: HELD_WHILE_PAUSED };
  const server = createServer(sockets, (socket) => {
    if (acceptProxied === undefined && tls?.mode !== 'implicit') {
      arrive(socket, endsOf(socket));
      return;
    }
    arriving.add(socket);
    if (acceptProxied === undefined) {
      arrive(socket, endsOf(socket));
      return;
    }
    // Those who may send headers are trusted, and speak for others.
    const proxy = forAll ? anyClient(peerOf(socket)) : undefined;
    let leave: (() => void) | undefined;
    let isWaiting = true;
    const ends = endsOf(socket);
    acceptProxied(socket, ({ peer, local = ends.local }) => {
      isWaiting = false;
      leave?.();
      arrive(socket, { peer, local });
    }).catch((error: Error) => {
      leave?.();
      arriving.delete(socket);
      if (!closed) onError(error, ends);
    });
    // Who connects directly has arrived by now, and takes no place from those whose header is under way.
    if (isWaiting) leave = arrivals.enter(proxy, () => socket.destroy());
  });

  if ('path' in options && options.path !== undefined) await listenOnPath(server, options.path);
  else if ('port' in options)
    await listenOnce(server, { host: options.host ?? '127.0.0.1', port: options.port });
  const address = addressOf(server);
  local = commonLocal(address);
  server.on('error', (error) => onError(error));
  void canLend().then((can) => {
    lends = can;
  });
  if (side !== undefined) {
    void canLendTls().then((can) => {
      lendsTls = can;
    });
  }

  return {
    address,
    async close() {
      // Node stops listening at once; it calls back only when the last connection is gone, too late for this.
      server.close();
      closed = true;
      for (const socket of arriving) socket.destroy();
    },
  };
}
