/**
 * A byte stream over a `net.Socket` that allows half-open connections.
 *
 * Invariants: the socket has its handlers for `error` and `close` from the moment it is handed over, so nothing
 * that happens to a connection can become an uncaught error; bytes are handed on as they come from the socket
 * and given to it as they are written; a callback runs either from within an event of the socket or in a tick
 * of its own, never from within a call.
 *
 * There is one of these for every connection, most of them idle: the event handlers are shared by all and find
 * the stream through the socket.
 */
import type { Socket } from 'node:net';
import {
  type ByteStream,
  type ByteStreamListener,
  type PeerInformation,
  thrownError,
} from '@sansmtp/transport';

const OWNER = Symbol('stream');

interface OwnedSocket extends Socket {
  [OWNER]: SocketStream;
}

function onData(this: OwnedSocket, bytes: Uint8Array): void {
  this[OWNER].received(bytes);
}

function onEnd(this: OwnedSocket): void {
  this[OWNER].peerEnded();
}

function onDrain(this: OwnedSocket): void {
  this[OWNER].drained();
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].failed(error);
}

function onClose(this: OwnedSocket): void {
  this[OWNER].closed();
}

const NOWHERE: PeerInformation = {};

function peerOf(socket: Socket): PeerInformation {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return NOWHERE;
  // A socket bound to `::` shows IPv4 peers as IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2).
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress;
  return { address, port: remotePort };
}

export class SocketStream implements ByteStream {
  readonly peer: PeerInformation;
  readonly #socket: Socket;
  #listener: ByteStreamListener | undefined;
  #reason: Error | undefined;
  #writable = true;
  #paused = false;
  /** Nothing may be called any more but `close`. */
  #broken = false;
  #drainWaits = false;
  #endWaits = false;
  #closeWaits = false;

  constructor(socket: Socket) {
    this.peer = peerOf(socket);
    this.#socket = Object.assign(socket, { [OWNER]: this });
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  open(listener: ByteStreamListener): void {
    if (this.#listener !== undefined) throw new Error('This stream is already open: it has one listener');
    this.#listener = listener;
    if (this.#paused) this.#socket.pause();
    this.#socket.on('data', onData);
    this.#callBackLater();
  }

  write(bytes: Uint8Array): boolean {
    return this.#writable ? this.#socket.write(bytes) : true;
  }

  pause(): void {
    this.#paused = true;
    if (this.#listener !== undefined) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    // Without a listener the socket would throw away what comes.
    if (this.#listener === undefined) return;
    this.#socket.resume();
    if (this.#endWaits) this.#callBackLater();
  }

  end(): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#drainWaits = false;
    this.#socket.end();
  }

  abort(reason?: Error): void {
    if (this.#broken) return;
    this.#breakOff(reason);
    if (this.#socket.destroyed) this.#callBackLater();
    else if (this.#canReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  /**
   * Only TCP has a reset. And libuv refuses it (EINVAL) while the end of our side is on its way, upon which Node
   * would forget the handle without closing it.
   */
  get #canReset(): boolean {
    const { writableEnded, writableFinished, writableLength } = this.#socket;
    return this.peer.address !== undefined && !(writableEnded && !writableFinished && writableLength === 0);
  }

  /** For the events of the socket only, like the methods that follow. */
  received(bytes: Uint8Array): void {
    // A socket that is destroyed from within `data` still hands on what it had read.
    if (this.#broken) return;
    try {
      this.#listener?.data(bytes);
    } catch (thrown) {
      this.abort(thrownError(thrown, 'The listener'));
    }
  }

  peerEnded(): void {
    if (this.#broken) return;
    this.#endWaits = true;
    this.#callBack();
  }

  drained(): void {
    this.#drainWaits = true;
    this.#callBack();
  }

  failed(error: Error): void {
    if (!this.#broken) this.#breakOff(error);
  }

  closed(): void {
    this.#writable = false;
    this.#closeWaits = true;
    this.#callBack();
  }

  #breakOff(reason: Error | undefined): void {
    this.#broken = true;
    this.#reason = reason;
    this.#writable = false;
    this.#drainWaits = false;
    this.#endWaits = false;
  }

  #callBackLater(): void {
    process.nextTick(SocketStream.#callBackOf, this);
  }

  static #callBackOf(stream: SocketStream): void {
    stream.#callBack();
  }

  /** Makes the callbacks that are waiting, as far as they may be made now. */
  #callBack(): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    try {
      if (this.#drainWaits) {
        this.#drainWaits = false;
        listener.drain();
      }
      if (this.#endWaits && !this.#paused) {
        this.#endWaits = false;
        listener.end();
      }
    } catch (thrown) {
      this.abort(thrownError(thrown, 'The listener'));
    }
    if (this.#closeWaits && !this.#endWaits) {
      this.#closeWaits = false;
      listener.close(this.#reason);
    }
  }
}
