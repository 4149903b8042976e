/** A byte stream over a socket, or another Duplex, that somebody else has made. */
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { checkNames, checkObject, namesOf, type TlsInformation } from '@sansmtp/core';
import { type ByteStream, type PeerInformation, TlsError } from '@sansmtp/transport';
import { shakeHands } from '../tls/tls-handshake.js';
import { requestedName, tlsInformation } from '../tls/tls-information.js';
import { type ServerTlsOptions, serverSide } from '../tls/tls-options.js';
import { ownDuplex } from './own-duplex.js';
import { SocketStream } from './socket-stream.js';

/** What `streamOf` may be told beyond the socket. */
export interface StreamOfOptions {
  /**
   * Lets a server begin TLS when the client asks for it (STARTTLS, RFC 3207). For the client's end, see `connect`.
   * @default it cannot be had
   */
  readonly tls?: Omit<ServerTlsOptions, 'mode'>;
  /**
   * Who is at the other end.
   * @default what the socket says; nothing of another Duplex
   */
  readonly peer?: PeerInformation;
}

const OPTION_NAMES = namesOf<StreamOfOptions>({ tls: true, peer: true });

/**
 * Makes a stream of a socket that is connected already: one from a server of your own, from an HTTP upgrade, or
 * handed over by another process; or of any other Duplex of octets that emits `close`. Give it to `serveSession` or
 * `openSession` next, and leave the socket alone from here on: its end, its errors and its close are the stream's. Octets
 * that were read from it too early are given back by `socket.unshift()` before. The handshake of a `TLSSocket`, of either
 * end, has to be over (`secureConnection`, `secureConnect`); the session then knows of its TLS.
 *
 * A client that wants TLS over a socket that is in the clear uses `connect({ socket, tls })`.
 * @throws {RangeError} `tls.handshakeTimeout` is out of its range
 * @throws {TypeError} `tls` is given for a socket that has TLS; the Duplex gives objects or texts; the socket is still
 *   connecting
 */
export function streamOf(socket: Duplex, options: StreamOfOptions = {}): ByteStream {
  checkNames('The option', options, OPTION_NAMES);
  const { tls, peer } = options;
  const isTls = socket instanceof TLSSocket;
  if (isTls && tls !== undefined) {
    throw new TypeError('The socket has TLS already: leave the option tls out');
  }
  const side = tls === undefined ? undefined : serverSide({ ...tls, mode: 'startTls' });
  ownDuplex(socket);
  const stream = new SocketStream(socket, {
    side,
    ...(peer && { peer }),
    ...(isTls && !socket.destroyed && { secured: { socket, tls: informationOf(socket) } }),
  });
  // Its peer may have gone away before it got here, and no event tells of it any more.
  if (socket.closed) stream.closed();
  return stream;
}

function informationOf(socket: TLSSocket): TlsInformation {
  const { authorized, authorizationError } = socket;
  const distrust = authorized ? undefined : String(authorizationError);
  // Node gives null at the server's end, and only there.
  const side = socket.getEphemeralKeyInfo() === null ? 'server' : 'client';
  return tlsInformation(socket, side, requestedName(socket), distrust);
}

/**
 * Makes a stream of a socket on which the client begins with a TLS handshake (RFC 8314 §3), once that stands.
 * @throws {TlsError} (rejects) it failed, and the socket is destroyed
 * @throws {RangeError} (rejects) `tls.handshakeTimeout` is out of its range
 */
export async function secureStreamOf(
  socket: Duplex,
  options: StreamOfOptions & Required<Pick<StreamOfOptions, 'tls'>>,
): Promise<ByteStream> {
  checkObject('The option', options, OPTION_NAMES);
  const { tls, peer } = options;
  const side = serverSide({ ...tls, mode: 'implicit' });
  ownDuplex(socket);
  return new Promise((resolve, reject) => {
    shakeHands(socket, side, (outcome) => {
      if (outcome instanceof TlsError) reject(outcome);
      else resolve(new SocketStream(socket, { ...(peer && { peer }), secured: outcome }));
    });
  });
}

/**
 * The socket that a stream of this package reads and writes, which is the TLS socket once TLS stands; undefined for
 * any other stream. It is to be looked at, for its certificates, cipher or addresses: what reads it, writes it, or ends
 * it breaks the session.
 */
export function socketOf(stream: ByteStream): Duplex | undefined {
  return stream instanceof SocketStream ? stream.socket : undefined;
}
