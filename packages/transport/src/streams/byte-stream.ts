/**
 * The one thing a transport has to provide: a connected, bidirectional stream of octets.
 *
 * Bytes and signals come by callback rather than by async iterator: a driver must be able to write while it
 * reads, to stop reading without losing what came, and to hear of a lost connection at any time.
 *
 * A stream may be protected by TLS, from the start (RFC 8314) or from the middle of the dialogue on (STARTTLS,
 * RFC 3207). Certificates, trusted authorities and the server's name are given where the stream is made.
 */

import type { TlsInformation } from '@sansmtp/core';

/** Who is at one end of a connection. */
export interface PeerInformation {
  /** Host address in its textual form; absent on Unix sockets and in memory. */
  readonly address?: string;
  readonly port?: number;
}

/**
 * Where a stream reports to. No callback is ever called from within a call of a `ByteStream` method, nor before
 * `open()`, nor after `close`.
 *
 * What `data`, `end`, `drain` or `secure` throws, at once or by a promise, aborts the stream and comes back as the reason
 * of `close`: the transport cannot know what the listener missed, so it must not go on as if nothing had happened. What
 * `close` throws has nobody left to hear it, and is written to stderr. A transport has all this from `guardedListener`.
 */
export interface ByteStreamListener {
  /**
   * True: of a stream that `lends`, this listener takes arrays that are its own only until `data` returns, and copies
   * before that what it keeps. One missed copy would show the octets of one peer as those of another, so say it only of
   * a stream that says that it lends, and never on behalf of another listener.
   * @default false
   */
  readonly borrows?: boolean;
  /**
   * Bytes arrived, in order, at least one. The array is the listener's, to keep and to write into: the
   * transport does not touch it again, and it is never one that the peer wrote from. A listener that `borrows` has it
   * until this returns.
   */
  data(bytes: Uint8Array): void;
  /** The peer ended its sending side: no `data` follows. We may still write. */
  end(): void;
  /** Once after a `write()` that returned false: write again. Does not come after `end()` or `abort()`. */
  drain(): void;
  /**
   * Once after `startTls()`: the handshake stands, and all that is heard from now on was protected. The handshake
   * goes on in spite of `pause()`, so this is not held back by it; between `startTls()` and this there is no
   * callback but `close`.
   */
  secure(tls: TlsInformation): void;
  /** Nothing follows, both ways. Called exactly once for every opened stream, with the reason if it broke. */
  close(reason?: Error): void;
}

/** One connection. Every method but a second `open()` may be called at any time, also before `open()`. */
export interface ByteStream {
  readonly peer: PeerInformation;
  /** Our own end; behind a proxy, where the client connected to. Absent where there are no addresses. */
  readonly local?: PeerInformation;
  /**
   * The TLS that protects this stream, before `open()` already when it does so from the start; undefined: all is
   * in the clear.
   */
  readonly tls: TlsInformation | undefined;
  /**
   * The arrays of `data` are lent to a listener that `borrows`: the transport uses them again when `data` has returned,
   * which saves it an array for each read. Any other listener gets its own, as ever.
   * @default false
   */
  readonly lends?: boolean;
  /** Whether `startTls()` may be called: the stream was made for it, and it was not called yet. */
  readonly canStartTls: boolean;
  /**
   * Begin to listen. What arrived before is kept and delivered then.
   * @throws {Error} when called twice
   */
  open(listener: ByteStreamListener): void;
  /**
   * Send bytes; the transport may keep the array until they are sent, so it must not be written into again.
   * False: the buffer is full, wait for `drain()` (the bytes were taken all the same). No bytes: nothing is
   * sent. After `end()`, `abort()` or `close`: ignored, true.
   */
  write(bytes: Uint8Array): boolean;
  /**
   * Stop delivering `data` and `end`, from the next callback on, until `resume()`; the peer is held back once
   * the buffers are full. Not counted: one `resume()` undoes any number of `pause()`. A `close` with a reason is
   * not held back, and drops what was not delivered; but a stream that does not read may hear that the
   * connection is lost only when it resumes or writes, so a paused session still needs its deadlines.
   */
  pause(): void;
  resume(): void;
  /** Send all that was written, then end our sending side. `close` follows when the peer has ended too. */
  end(): void;
  /**
   * Go on under TLS (RFC 3207 §4): all that was written before is sent in the clear, then the handshake begins,
   * as the end this stream was made for. `secure` follows, or `close` with a `TlsError`: the handshake failed, the
   * peer went away, or it took too long.
   *
   * Nothing that came in the clear is delivered any more. Octets that had arrived but were not delivered yet, or
   * that arrive instead of the handshake, may come from somebody in between who wants them executed as if they
   * had been protected (CVE-2011-0411): the stream closes with a reason.
   *
   * `write()` and `end()` take effect once the handshake stands; until then `write()` returns false, and `drain`
   * follows `secure`. Under TLS, `end()` tells the peer so (close_notify, RFC 8446 §6.1) and it hears `end`.
   *
   * Both ends have to call it before the other end's handshake arrives; the server's end does so right behind the
   * write that invites the client. After `end()`, `abort()` or `close`: ignored.
   * @throws {Error} when `canStartTls` is false
   */
  startTls(): void;
  /**
   * Give up both ways at once. `close(reason)` follows, and nothing before it. Bytes not yet sent are lost, and
   * with some transports (a TCP reset) also those which the peer has not read yet: to say goodbye, use `end()`.
   * The peer hears `close` with a reason of its own, or a mere `end` where the medium cannot say more (a Unix
   * socket; Node even for a TCP reset, when it comes on the heels of data). So an `end` is no proof that the peer
   * has sent all it wanted to: only the protocol above can tell. Harmless when repeated or closed: the first
   * reason counts.
   */
  abort(reason?: Error): void;
}
