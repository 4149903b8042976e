/** The client's side: one connection over TCP, a Unix socket or what stands already, with TLS or without. */
import {
  connect as connectSocket,
  type IpcNetConnectOpts,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { checkObject, namesOf } from '@sansmtp/core';
import { type ByteStream, TlsError } from '@sansmtp/transport';
import { type AnyOf, checkNotEmpty, checkPort, checkTime } from './option-checks.js';
import { ownDuplex } from './own-duplex.js';
import { SocketStream } from './socket-stream.js';
import { systemClock } from './system-clock.js';
import { systemCode } from './system-error.js';
import { shakeHands } from './tls-handshake.js';
import { type ClientTlsOptions, clientSide } from './tls-options.js';

/** Whom `connect` connects to, or over what, with TLS or without, and how long it tries. */
export type ConnectOptions = (
  | { readonly host: string; readonly port: number }
  | {
      /** File name of a Unix socket. */
      readonly path: string;
    }
  | {
      /**
       * A way to the server that stands already, such as one through a proxy: a socket or another Duplex. Its end, its
       * errors and its close are the stream's from here on. There is nothing to wait for but the handshake of `tls`; to
       * verify the server, give `tls.servername`.
       */
      readonly socket: Duplex;
    }
) & {
  /**
   * Milliseconds until the connection has to stand, name resolution included. A handshake has its own time:
   * `tls.handshakeTimeout`. `Infinity` for no limit but the system's.
   * @default 30000
   */
  readonly timeout?: number;
  /** @default no TLS */
  readonly tls?: ClientTlsOptions;
  /** Gives up connecting. Without effect on a connection that stands. */
  readonly signal?: AbortSignal;
};

/** No connection came about. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  /** The system's word for it: `ECONNREFUSED`, `ENOTFOUND`, …; `ETIMEDOUT` also when `timeout` has passed. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Octets that are read at once. Left to itself, Node allocates 64 KiB for each read, which costs more than to copy a
 * server's few replies out of a buffer of the socket's own. Not where TLS may come: it would read past the buffer.
 */
const READ_OCTETS = 4096;

/**
 * Milliseconds for one address of a host that has several, before the next is tried. Node gives the attempt up then; at
 * its own 250 ms, a server far away, or one that loses the first packet, could not be connected to at any address.
 */
const ATTEMPT_TIME = 5000;

function nameOf(options: ConnectOptions): string {
  if ('path' in options) return options.path;
  if ('socket' in options) return 'the other end of the socket';
  const { host, port } = options;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Node tries every address of a host, and then has one error for each, under one without words. */
function wordsOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map(({ message }) => message).join('; ')
    : error.message;
}

/** Begins to connect; a socket that stands already is taken over. */
function begin(options: ConnectOptions, readsAhead: boolean): Duplex {
  if ('socket' in options) {
    ownDuplex(options.socket);
    return options.socket;
  }
  const target: TcpNetConnectOpts | IpcNetConnectOpts =
    'path' in options
      ? { path: options.path }
      : {
          host: options.host,
          port: options.port,
          keepAlive: true,
          noDelay: true,
          autoSelectFamilyAttemptTimeout: ATTEMPT_TIME,
        };
  const onread = {
    buffer: new Uint8Array(READ_OCTETS),
    callback(length: number, octets: Uint8Array) {
      const read = octets.slice(0, length);
      // What push() would come to, without its bookkeeping.
      if (socket.readableFlowing && socket.readableLength === 0) return socket.emit('data', read);
      return socket.push(read);
    },
  };
  const socket: Socket = connectSocket({ ...target, allowHalfOpen: true, ...(readsAhead && { onread }) });
  return socket;
}

const OPTION_NAMES = namesOf<AnyOf<ConnectOptions>>({
  host: true,
  port: true,
  path: true,
  socket: true,
  timeout: true,
  tls: true,
  signal: true,
});

function check(options: ConnectOptions): void {
  // The address of a listener may be spread into the options, and has a kind.
  checkObject('The option', options, [...OPTION_NAMES, 'kind']);
  checkTime('timeout', options.timeout ?? 0);
  if ('socket' in options) return;
  // Node would take an empty path for no path, and connect by TCP.
  if ('path' in options) checkNotEmpty('path', options.path);
  else if ('host' in options) {
    checkNotEmpty('host', options.host);
    checkPort('port', options.port, 1);
  } else
    throw new TypeError(
      'The option host is missing; give host and port, the path of a Unix socket, or a socket',
    );
}

/**
 * Connects. What the peer sends before `open()` is kept. TCP connections have keep-alive on, and no delay
 * (Nagle's algorithm would hold back the small writes of a dialogue).
 * @throws {ConnectError} when the system refuses, or `timeout` has passed
 * @throws {TlsError} when the handshake of implicit TLS fails; `tls` has a certificate that cannot be used
 * @throws {RangeError} when `timeout`, `port` or `tls.handshakeTimeout` is out of its range, or `host` or `path` is empty
 * @throws {TypeError} when an option is not known, or nothing says where to connect; when `tls` says to verify the server, but nothing says by which name; when `socket` gives objects or
 *   texts, or is still connecting
 * @throws the reason of `signal`, when it is aborted before the connection stands
 */
export function connect(options: ConnectOptions): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    check(options);
    const { timeout = 30_000, signal, tls } = options;
    signal?.throwIfAborted();
    const name = 'host' in options ? options.host : undefined;
    const side = tls === undefined ? undefined : clientSide(tls, name);
    let cancelHandshake: (() => void) | undefined;
    const socket = begin(options, side === undefined);

    const settle = () => {
      cancelTimeout();
      signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
    };
    const fail = (error: unknown) => {
      settle();
      cancelHandshake?.();
      socket.destroy();
      reject(error);
    };
    const onConnect = () => {
      if (side === undefined || tls?.mode === 'startTls') {
        settle();
        resolve(new SocketStream(socket, { side }));
        return;
      }
      cancelTimeout();
      cancelHandshake = shakeHands(socket, side, (outcome) => {
        settle();
        if (outcome instanceof TlsError) reject(outcome);
        else resolve(new SocketStream(socket, { secured: outcome }));
      });
      socket.off('error', onError); // the handshake hears of it from now on
    };
    const onError = (error: Error) =>
      fail(
        new ConnectError(`Cannot connect to ${nameOf(options)}: ${wordsOf(error)}`, systemCode(error), {
          cause: error,
        }),
      );
    const onAbort = () => fail(signal?.reason);
    const cancelTimeout = systemClock.set(systemClock.now() + timeout, () =>
      fail(new ConnectError(`Cannot connect to ${nameOf(options)}: no answer in ${timeout} ms`, 'ETIMEDOUT')),
    );
    signal?.addEventListener('abort', onAbort);
    socket.on('error', onError);
    if (!('socket' in options)) socket.on('connect', onConnect);
    else if (!socket.destroyed) onConnect();
    else fail(new ConnectError('Cannot connect: the socket is closed already', 'ECONNRESET'));
  });
}
