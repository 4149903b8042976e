/** A byte stream over a socket that somebody else has made. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TlsInformation } from '@sansmtp/core';
import type { ByteStream } from '@sansmtp/transport';
import { SocketStream } from './socket-stream.js';
import { requestedName, tlsInformation } from './tls-information.js';
import { type ServerTlsOptions, serverSide } from './tls-options.js';

/** What `streamOf` may be told beyond the socket. */
export interface StreamOfOptions {
  /**
   * Lets a server begin TLS when the client asks for it (STARTTLS, RFC 3207).
   * @default it cannot be had
   */
  readonly tls?: Omit<ServerTlsOptions, 'mode'>;
}

/**
 * Makes a stream of a socket that is connected already: one from a server of your own, from an HTTP upgrade, or
 * handed over by another process. Give it to `serveSession` or `openSession` next, and leave the socket alone from
 * here on: its end, its errors and its close are the stream's. Octets that were read from it too early are given back
 * by `socket.unshift()` before. A `TLSSocket` has to be a server's, with its handshake behind it (`secureConnection`);
 * the session then knows of its TLS.
 * @throws {RangeError} `tls.handshakeTimeout` is out of its range
 * @throws {TypeError} `tls` is given for a socket that has TLS
 */
export function streamOf(socket: Socket, { tls }: StreamOfOptions = {}): ByteStream {
  const isTls = socket instanceof TLSSocket;
  if (isTls && tls !== undefined) {
    throw new TypeError('The socket has TLS already: leave the option tls out');
  }
  // The peer may end its side and still wait for our reply.
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  const stream = new SocketStream(socket, {
    side: tls && serverSide({ ...tls, mode: 'startTls' }),
    ...(isTls && !socket.destroyed && { secured: { socket, tls: informationOf(socket) } }),
  });
  // Its peer may have gone away before it got here, and no event tells of it any more.
  if (socket.closed) stream.closed();
  return stream;
}

function informationOf(socket: TLSSocket): TlsInformation {
  const { authorized, authorizationError } = socket;
  const distrust = authorized ? undefined : String(authorizationError);
  return tlsInformation(socket, 'server', requestedName(socket), distrust);
}
