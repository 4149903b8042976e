/** The client's side: one connection over TCP, a Unix socket or what stands already, with TLS or without. */
import {
  connect as connectSocket,
  type IpcNetConnectOpts,
  isIP,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { checkObject, namesOf } from '@sansmtp/core';
import { type ByteStream, TlsError } from '@sansmtp/transport';
import { type AnyOf, checkNotEmpty, checkPort, checkTime } from '../option-checks.js';
import { ownDuplex } from '../streams/own-duplex.js';
import { SocketStream } from '../streams/socket-stream.js';
import { systemClock } from '../system-clock.js';
import { systemCode } from '../system-error.js';
import { shakeHands } from '../tls/tls-handshake.js';
import { type ClientTlsOptions, clientSide } from '../tls/tls-options.js';
import { raceSockets, raceToHost } from './socket-race.js';

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

function nameOf(options: ConnectOptions): string {
  if ('path' in options) return options.path;
  if ('socket' in options) return 'the other end of the socket';
  const { host, port } = options;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where every address of a host was tried, there is an error for each, under one without words. */
function wordsOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map(({ message }) => message).join('; ')
    : error.message;
}

/** Begins to connect. */
function begin(target: TcpNetConnectOpts | IpcNetConnectOpts, readsAhead: boolean): Socket {
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

/** @returns gives it all up */
function reach(
  options: Exclude<ConnectOptions, { readonly socket: Duplex }>,
  readsAhead: boolean,
  done: (outcome: Socket | Error) => void,
): () => void {
  if ('path' in options) return raceSockets([options.path], (path) => begin({ path }, readsAhead), done);
  const { host, port } = options;
  const beginAt = (address: string) => begin({ host: address, port, noDelay: true }, readsAhead);
  return isIP(host) === 0 ? raceToHost(host, beginAt, done) : raceSockets([host], beginAt, done);
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
 * Connects. The addresses of a host that is given by name race each other: the next one is tried beside after 250 ms (RFC
 * 8305). What the peer sends before `open()` is kept. TCP connections have keep-alive on, and no delay
 * (Nagle's algorithm would hold back the small writes of a dialogue).
 * @throws {ConnectError} when the system refuses, or `timeout` has passed
 * @throws {TlsError} when the handshake of implicit TLS fails; `tls` has a certificate that cannot be used
 * @throws {RangeError} when `timeout`, `port` or `tls.handshakeTimeout` is out of its range, or `host` or `path` is empty
 * @throws {TypeError} when an option is not known, or nothing says where to connect; when `tls` says to verify the server, but
 *   nothing says by which name; when `socket` gives objects or texts, or is still connecting
 * @throws the reason of `signal`, when it is aborted before the connection stands
 */
export function connect(options: ConnectOptions): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    check(options);
    const { timeout = 30_000, signal, tls } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError('The option signal takes an AbortSignal: new AbortController().signal');
    }
    signal?.throwIfAborted();
    const name = 'host' in options ? options.host : undefined;
    const side = tls === undefined ? undefined : clientSide(tls, name);
    if ('socket' in options) ownDuplex(options.socket);
    let cancel: () => void = () => {};

    const settle = () => {
      cancelTimeout();
      signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown) => {
      settle();
      cancel();
      reject(error);
    };
    const onReached = (reached: Duplex | Error) => {
      if (reached instanceof Error) {
        const problem = `Cannot connect to ${nameOf(options)}: ${wordsOf(reached)}`;
        fail(new ConnectError(problem, systemCode(reached), { cause: reached }));
        return;
      }
      if (side === undefined || tls?.mode === 'startTls') {
        settle();
        resolve(new SocketStream(reached, { side }));
        return;
      }
      cancelTimeout();
      const cancelHandshake = shakeHands(reached, side, (outcome) => {
        settle();
        if (outcome instanceof TlsError) reject(outcome);
        else resolve(new SocketStream(reached, { secured: outcome }));
      });
      cancel = () => {
        cancelHandshake();
        reached.destroy();
      };
    };
    const onAbort = () => fail(signal?.reason);
    const cancelTimeout = systemClock.set(systemClock.now() + timeout, () =>
      fail(new ConnectError(`Cannot connect to ${nameOf(options)}: no answer in ${timeout} ms`, 'ETIMEDOUT')),
    );
    signal?.addEventListener('abort', onAbort);
    if (!('socket' in options)) cancel = reach(options, side === undefined, onReached);
    else if (!options.socket.destroyed) onReached(options.socket);
    else fail(new ConnectError('Cannot connect: the socket is closed already', 'ECONNRESET'));
  });
}
