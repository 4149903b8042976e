/**
 * A byte stream over a `net.Socket`, or another Duplex, that allows half-open connections.
 *
 * Invariants: the socket has its handlers for `error` and `close` from the moment it is handed over, so nothing
 * that happens to a connection can become an uncaught error; bytes are handed on as they come from the socket
 * and given to it as they are written; a callback runs either from within an event of the socket or in a tick
 * of its own, never from within a call. With TLS, the TLS socket takes the place of the socket below it, which
 * then is touched only for a reset; while they shake hands there is no socket but in `shakeHands`.
 *
 * The events of a bare socket come from the system. Those of any other Duplex may come from within a call, even one at
 * the other end of it: it is read by `readable` and `read()`, which Node defers, and its other events are put off.
 *
 * There is one of these for every connection, most of them idle: the event handlers are shared by all and find
 * the stream through the socket.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { concatenate, type TlsInformation } from '@sansmtp/core';
import {
  type ByteStream,
  type ByteStreamListener,
  guardedListener,
  type PeerInformation,
  TlsError,
} from '@sansmtp/transport';
import { type SecuredSocket, shakeHands, type TlsSide } from '../tls/tls-handshake.js';
import { lend, lendingTo } from './lent-buffer.js';
import { localOf, peerOf } from './socket-peer.js';

const OWNER = Symbol('stream');

interface OwnedSocket extends Duplex {
  [OWNER]: SocketStream;
}

function onData(this: OwnedSocket, bytes: Uint8Array): void {
  this[OWNER].received(bytes);
}

/** What the one buffer has is here for the time of this call. */
const lending = lendingTo((socket, bytes) => (socket as unknown as OwnedSocket)[OWNER].lent(bytes));

function onReadable(this: OwnedSocket): void {
  this[OWNER].readable();
}

function onEnd(this: OwnedSocket): void {
  this[OWNER].peerEnded();
}

function onDrain(this: OwnedSocket): void {
  this[OWNER].drained();
}

/** A TLS server's errors come by this event, and the socket lives on after them. */
function onTlsError(this: OwnedSocket, error: Error): void {
  this[OWNER].failed(error);
  this.destroy();
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].failed(error);
}

function onClose(this: OwnedSocket): void {
  this[OWNER].closed();
}

/** The handshake under way. */
interface Handshake {
  readonly cancel: () => void;
  /** Written since it began: nothing may leave before the peer is verified. */
  readonly held: Uint8Array[];
  /** A write before the handshake has filled the buffer. */
  readonly drainOwed: boolean;
  /** It is under way no more. */
  readonly leave: () => void;
  endHeld: boolean;
}

/** What a stream is told beyond its socket. */
export interface SocketStreamOptions {
  /** For whom the peer of the socket speaks, if not for itself. */
  readonly peer?: PeerInformation | undefined;
  /** Where that one connected to. */
  readonly local?: PeerInformation | undefined;
  /** What STARTTLS needs; without it, it cannot be had. */
  readonly side?: TlsSide | undefined;
  /** Told when STARTTLS begins, with what gives the handshake up; gives what is to be told when it has ended. */
  readonly enterHandshake?: (giveWay: () => void) => () => void;
  /** The TLS above the raw socket, if it stands already. */
  readonly secured?: SecuredSocket;
  /**
   * It was accepted by a listener of ours, where it can lend: a listener that borrows gets what is read into one buffer.
   * @default false
   */
  readonly lends?: boolean;
}

export class SocketStream implements ByteStream {
  readonly peer: PeerInformation;
  readonly local: PeerInformation;
  readonly lends: boolean;
  readonly #raw: Duplex;
  /** Its events come from the system: it is a socket, and its TLS, if any, was begun here. */
  readonly #isBare: boolean;
  /** The raw socket, or the TLS socket above it once the handshake stands. */
  #socket: Duplex;
  /** What `startTls()` begins, as long as it may. */
  #side: TlsSide | undefined;
  readonly #enterHandshake: SocketStreamOptions['enterHandshake'];
  #handshake: Handshake | undefined;
  #secured: SecuredSocket | undefined;
  #listener: ByteStreamListener | undefined;
  #reason: Error | undefined;
  #writable = true;
  #paused = false;
  /** What came in the one buffer while it was paused, and what has come behind that. */
  #held: Uint8Array | undefined;
  /** Nothing may be called any more but `close`. */
  #broken = false;
  #secureWaits = false;
  #drainWaits = false;
  #endWaits = false;
  #closeWaits = false;

  /** @param raw a connected socket of TCP or Unix, or what `ownDuplex` has prepared */
  constructor(
    raw: Duplex,
    { peer, local, side, secured, enterHandshake, lends = false }: SocketStreamOptions = {},
  ) {
    this.peer = peer ?? peerOf(raw);
    this.local = local ?? localOf(raw);
    this.lends = lends;
    this.#raw = raw;
    this.#isBare = raw instanceof Socket && !(raw instanceof TLSSocket);
    this.#side = side;
    this.#enterHandshake = enterHandshake;
    this.#secured = secured;
    this.#socket = secured?.socket ?? raw;
    this.#own();
  }

  /** To be looked at only. */
  get socket(): Duplex {
    return this.#socket;
  }

  get tls(): TlsInformation | undefined {
    return this.#secured?.tls;
  }

  get canStartTls(): boolean {
    return this.#side !== undefined;
  }

  #own(): void {
    const socket = this.#socket as OwnedSocket;
    socket[OWNER] = this;
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    socket.on('error', onError);
    socket.on('close', onClose);
    if (this.#secured !== undefined) socket.on('_tlsError', onTlsError);
  }

  open(listener: ByteStreamListener): void {
    if (this.#listener !== undefined) throw new Error('This stream is already open: it has one listener');
    this.#listener = guardedListener(this, listener);
    if (this.#handshake === undefined) this.#listen();
    this.#callBackLater();
  }

  /** Begins to hear what comes. */
  #listen(): void {
    if (!this.#isBare) {
      this.#socket.on('readable', onReadable);
      return;
    }
    // In this order: a pause stops what is read into a buffer only if that is there.
    const isLent = this.#lend();
    if (this.#paused) this.#socket.pause();
    if (!isLent) this.#socket.on('data', onData);
    // Sockets from a handshake come paused.
    if (!this.#paused) this.#socket.resume();
  }

  /** Has the octets read into the one buffer, if that is wanted and can be. */
  #lend(): boolean {
    const socket = this.#socket;
    if (!this.lends || this.#listener?.borrows !== true || !(socket instanceof Socket)) return false;
    // A client may say its first words right behind its handshake, or its proxy's header.
    const early: Uint8Array | null = socket.readableLength > 0 ? socket.read() : null;
    if (lend(socket, lending)) {
      if (early !== null) this.#hold(early);
      return true;
    }
    if (early !== null) socket.unshift(early);
    return false;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#writable) return true;
    if (this.#handshake === undefined) return this.#socket.write(bytes);
    if (bytes.length === 0) return true;
    this.#handshake.held.push(bytes);
    return false;
  }

  pause(): void {
    this.#paused = true;
    if (this.#listener !== undefined && this.#handshake === undefined && this.#isBare) this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    // Without a listener the socket would throw away what comes.
    if (this.#listener === undefined || this.#handshake !== undefined) return;
    if (this.#isBare) this.#socket.resume();
    if (this.#endWaits || !this.#isBare || this.#held !== undefined) this.#callBackLater();
  }

  end(): void {
    if (!this.#writable) return;
    this.#writable = false;
    this.#drainWaits = false;
    if (this.#handshake === undefined) this.#socket.end();
    else this.#handshake.endHeld = true;
  }

  startTls(): void {
    const raw = this.#raw;
    // Destroyed: its close is on the way, with the reason.
    if (!this.#writable || raw.destroyed) return;
    const side = this.#side;
    if (side === undefined) throw new Error('This stream cannot start TLS: see canStartTls');
    this.#side = undefined;
    if (raw.readableLength > 0 || this.#held !== undefined) {
      this.abort(TlsError.plaintextBehindStartTls());
      return;
    }
    if (this.#endWaits || raw.readableEnded) {
      this.abort(TlsError.peerWentAway());
      return;
    }
    raw
      .off('data', onData)
      .off('readable', onReadable)
      .off('end', onEnd)
      .off('drain', onDrain)
      .off('error', onError)
      .off('close', onClose);
    this.#handshake = {
      held: [],
      drainOwed: raw.writableNeedDrain || this.#drainWaits,
      endHeld: false,
      leave: this.#enterHandshake?.(() => this.abort(TlsError.gaveWay())) ?? (() => {}),
      cancel: shakeHands(raw, side, (outcome) => this.#handshakeEnded(outcome)),
    };
    this.#drainWaits = false;
  }

  #handshakeEnded(outcome: SecuredSocket | TlsError): void {
    const handshake = this.#handshake;
    this.#handshake = undefined;
    handshake?.leave();
    if (outcome instanceof TlsError || handshake === undefined) {
      this.#breakOff(outcome instanceof TlsError ? outcome : undefined);
      this.closed();
      return;
    }
    this.#secured = outcome;
    this.#socket = outcome.socket;
    this.#own();
    let more = true;
    for (const bytes of handshake.held) more = this.#socket.write(bytes);
    if (handshake.endHeld) this.#socket.end();
    else this.#drainWaits = more && (handshake.drainOwed || handshake.held.length > 0);
    this.#secureWaits = true;
    if (this.#listener !== undefined) this.#listen();
    this.#callBack();
  }

  abort(reason?: Error): void {
    if (this.#broken) return;
    this.#breakOff(reason);
    const handshake = this.#handshake;
    if (handshake !== undefined) {
      this.#handshake = undefined;
      handshake.leave();
      handshake.cancel();
      this.#closeWaits = true;
      this.#callBackLater();
    } else if (this.#socket.destroyed) this.#callBackLater();
    else if (this.#raw instanceof Socket && this.#canReset(this.#raw)) this.#raw.resetAndDestroy();
    else this.#socket.destroy();
  }

  /**
   * Only TCP has a reset, and Node reaches it through no TLS that somebody else has made. And libuv refuses it (EINVAL)
   * while the end of our side is on its way, upon which Node would forget the handle without closing it.
   */
  #canReset(raw: Socket): boolean {
    const { writableEnded, writableFinished, writableLength } = this.#socket;
    const endIsOnItsWay =
      writableEnded && !writableFinished && (writableLength === 0 || this.#secured !== undefined);
    // Not the address of the peer: a proxy may speak for one over a Unix socket.
    return this.#isBare && raw.remoteAddress !== undefined && !endIsOnItsWay;
  }

  /** For the events of the socket only, like the methods that follow. */
  received(bytes: Uint8Array): void {
    // A socket that is destroyed from within `data` still hands on what it had read.
    if (this.#broken) return;
    this.#listener?.data(bytes);
  }

  /** As `received`, of octets that are here for the time of this call. OpenSSL gives all that it has, in spite of a pause. */
  lent(bytes: Uint8Array): void {
    if (this.#paused || this.#held !== undefined) this.#hold(bytes);
    else this.received(bytes);
  }

  readable(): void {
    this.#callBack();
  }

  peerEnded(): void {
    if (this.#broken) return;
    this.#endWaits = true;
    this.#callBackOnEvent();
  }

  drained(): void {
    this.#drainWaits = this.#writable;
    this.#callBackOnEvent();
  }

  failed(error: Error): void {
    if (!this.#broken) this.#breakOff(error);
  }

  closed(): void {
    if (!this.#isBare && !this.#broken && !this.#socket.readableEnded) {
      this.#breakOff(new Error('The stream was closed before its end'));
    }
    this.#writable = false;
    this.#closeWaits = true;
    this.#callBackOnEvent();
  }

  #breakOff(reason: Error | undefined): void {
    this.#broken = true;
    this.#reason = reason;
    this.#writable = false;
    this.#drainWaits = false;
    this.#endWaits = false;
    this.#secureWaits = false;
    this.#held = undefined;
  }

  /** Copies it, for when the stream is resumed. */
  #hold(bytes: Uint8Array): void {
    if (this.#broken) return;
    this.#held = concatenate(this.#held === undefined ? [bytes] : [this.#held, bytes]);
    bytes.fill(0);
  }

  #giveHeld(): void {
    const held = this.#held;
    if (held === undefined || this.#paused) return;
    this.#held = undefined;
    this.received(held);
  }

  #callBackOnEvent(): void {
    if (this.#isBare) this.#callBack();
    else this.#callBackLater();
  }

  #callBackLater(): void {
    process.nextTick(SocketStream.#callBackOf, this);
  }

  static #callBackOf(stream: SocketStream): void {
    stream.#callBack();
  }

  #read(): void {
    while (!this.#paused && !this.#broken && this.#handshake === undefined) {
      const bytes: Uint8Array | null = this.#socket.read();
      if (bytes === null) return;
      // The other end of a Duplex may be in this process, and have written from this very array.
      this.received(this.#socket instanceof Socket ? bytes : new Uint8Array(bytes));
    }
  }

  /** Makes the callbacks that are waiting, as far as they may be made now. */
  #callBack(): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    if (this.#secureWaits && this.#secured !== undefined) {
      this.#secureWaits = false;
      listener.secure(this.#secured.tls);
    }
    if (this.#drainWaits) {
      this.#drainWaits = false;
      listener.drain();
    }
    this.#giveHeld();
    if (!this.#isBare) this.#read();
    if (this.#endWaits && !this.#paused) {
      this.#endWaits = false;
      listener.end();
    }
    if (this.#closeWaits && !this.#endWaits) {
      this.#closeWaits = false;
      listener.close(this.#reason);
    }
  }
}
