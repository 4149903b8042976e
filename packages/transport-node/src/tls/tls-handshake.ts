/**
 * One TLS handshake over a socket that is connected, as client or server: from the first octet until it stands or
 * has failed.
 *
 * Invariants: `done` is called at most once, never from within the call, and not after `cancel()`. Unless it is
 * told of success, both sockets are destroyed and nothing is left of them, no timer either. The TLS socket that is
 * given away is paused and has no listener of ours but one for errors.
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { TlsInformation } from '@sansmtp/core';
import { TlsError } from '@sansmtp/transport';
import { systemClock } from '../system-clock.js';
import { systemCode } from '../system-error.js';

/** What a stream needs for beginning TLS, as the client or as the server: made once, used for many handshakes. */
export interface TlsSide {
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  /** The event of the TLS socket upon which the handshake stands, and the peer is verified if it has to be. */
  readonly standsOn: 'secure' | 'secureConnect';
  /** Begins the handshake. */
  wrap(socket: Duplex): TLSSocket;
  informationOf(socket: TLSSocket): TlsInformation;
}

/** A TLS connection that stands. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  readonly tls: TlsInformation;
}

/** How long a handshake may take unless told otherwise, in milliseconds. */
export const DEFAULT_HANDSHAKE_TIMEOUT = 60_000;

const ignore = () => {};

/** OpenSSL's words are a stack of places in its sources; its reason is the part that says something. */
function asTlsError(error: Error): TlsError {
  if (error instanceof TlsError) return error;
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message.trim();
  return new TlsError(`The TLS handshake failed: ${reason}`, systemCode(error), { cause: error });
}

/** Milliseconds that the peer has after a pause of ours, in which it may have waited for us. */
const MOMENT = 5_000;

/**
 * Calls back after so many milliseconds; returns what takes it back. To read what has arrived is not enough here: after a
 * pause of ours (a stop of the process, a long turn) the peer's next octets may be the answer to ours. So the last moment
 * is waited for by itself, and once more as long as a pause takes it up.
 */
function afterTime(time: number, callback: () => void): () => void {
  const moment = Math.min(MOMENT, time / 2);
  let cancel = () => {};
  const waitUntil = (at: number, next: () => void) => {
    cancel = systemClock.set(at, next);
  };
  const waitForLastMoment = () => {
    const at = systemClock.now() + moment;
    waitUntil(at, () => (systemClock.now() - at < moment ? callback() : waitForLastMoment()));
  };
  waitUntil(systemClock.now() + time - moment, waitForLastMoment);
  return () => cancel();
}

/**
 * Begins a handshake. What the raw socket has read already is taken for its beginning.
 * @param raw a socket, or another Duplex, without listeners but for errors
 * @returns what gives the handshake up; without effect when it has ended
 */
export function shakeHands(
  raw: Duplex,
  side: TlsSide,
  done: (outcome: SecuredSocket | TlsError) => void,
): () => void {
  const { handshakeTimeout, standsOn } = side;
  let socket: TLSSocket | undefined;
  let ended = false;
  // An error of the raw socket is told by the TLS socket too.
  raw.on('error', ignore);

  const settle = () => {
    ended = true;
    cancelTimeout();
    socket?.off(standsOn, stand).off('end', leave).off('close', leave).off('error', fail);
    socket?.off('_tlsError', fail);
  };
  const destroy = () => {
    socket?.destroy();
    raw.destroy();
  };
  const fail = (error: Error) => {
    if (ended) return;
    settle();
    // After the rest of Node's own work on this error, or else the alert that tells the peer why is lost.
    setImmediate(destroy);
    done(asTlsError(error));
  };
  const leave = () => fail(TlsError.peerWentAway());
  const stand = () => {
    if (ended || socket === undefined) return;
    let tls: TlsInformation;
    try {
      tls = side.informationOf(socket);
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const secured = { socket, tls };
    cancelTimeout();
    socket.pause();
    // OpenSSL is still within its handshake: an end of our side, begun from here, would leave without close_notify.
    setImmediate(() => {
      if (ended) return;
      settle();
      done(secured);
    });
  };
  const cancelTimeout = afterTime(handshakeTimeout, () =>
    fail(new TlsError(`The TLS handshake did not end in ${handshakeTimeout} ms`, 'ETIMEDOUT')),
  );

  try {
    if (raw.destroyed) throw TlsError.peerWentAway();
    socket = side.wrap(raw);
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    setImmediate(fail, failure);
    return () => fail(failure);
  }
  // For good: there may be more errors between a failure and the end of the socket.
  socket.on('error', ignore);
  socket.on(standsOn, stand).on('end', leave).on('close', leave).on('error', fail);
  // A server's errors come by this event only: `error` is for those of a `tls.Server`.
  socket.on('_tlsError', fail);
  // There is nothing to read yet; but only who reads hears that the peer has gone.
  socket.resume();

  return () => {
    if (ended) return;
    settle();
    destroy();
  };
}
