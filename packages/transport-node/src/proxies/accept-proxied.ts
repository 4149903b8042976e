/**
 * Connections that come through a proxy: the PROXY header is read off an accepted socket before anything else is
 * done with it, be it a byte stream or, with implicit TLS, the handshake.
 *
 * Invariants: a socket that is given back is as good as new. It has no listener of ours but one for errors, it
 * does not flow, what came behind the header is what it reads next, and neither its end nor its close was told to
 * anybody. So nothing has to stand between it and whoever takes it over. A socket that is refused is reset, before
 * an octet of what came behind the header was looked at.
 */
import type { Socket } from 'node:net';
import { checkObject, kindOf, namesOf } from '@sansmtp/core';
import { type Clock, complain, guarded, type PeerInformation, thrownError } from '@sansmtp/transport';
import { checkCount, checkTime } from '../option-checks.js';
import { peerOf } from '../streams/socket-peer.js';
import { systemClock } from '../system-clock.js';
import {
  DEFAULT_MAXIMUM_HEADER_OCTETS,
  FIXED_PART,
  type ProxyHeader,
  type ProxyHeaderVerdict,
  parseProxyHeader,
} from './proxy-protocol.js';

export interface ProxiedOptions {
  /**
   * Whom to believe: whoever may send a header may be any client. They must send one; `trustedPeers` makes such a function
   * of a list. Only `true` is trust; what it throws is written to stderr.
   */
  readonly isTrusted: (peer: PeerInformation) => boolean;
  /**
   * What becomes of all others: `refused`, or `direct`, they are clients that connect by themselves. A header of theirs is
   * then part of what they say, and believed by nobody.
   * @default 'refused'
   */
  readonly others?: 'refused' | 'direct';
  /**
   * Milliseconds from the connection to the end of the header. The specification wants 3000 at least, for one
   * retransmission; `Infinity` for no limit.
   * @default 5000
   */
  readonly timeout?: number;
  /**
   * Octets that a header of version 2 may have. All addresses fit into 232; the rest is for what the proxy adds.
   * @default 536
   */
  readonly maximumHeaderOctets?: number;
  /**
   * Octets to send where there is no header, before the connection is ended instead of reset: for a client that came
   * without the proxy, and a person who looks at what it got.
   * @default none
   */
  readonly lastWords?: Uint8Array;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** What is known of a proxied connection. */
export interface ProxiedConnection {
  /**
   * The client that the proxy speaks for, if it named one by its address; otherwise whoever is at the other end
   * of the socket, as for the proxy's own health checks.
   */
  readonly peer: PeerInformation;
  /** Where that client connected to; undefined: to the socket. */
  readonly local: PeerInformation | undefined;
  /** Undefined: the peer is none of the trusted, and connects directly. */
  readonly header: ProxyHeader | undefined;
}

/**
 * Why a connection was refused: `untrusted`, its peer may not send a PROXY header; `malformed`, what it sent is
 * none; `timeout`, it did not send all of it in time; `lost`, the connection ended before.
 */
export type ProxyProtocolFailure = 'untrusted' | 'malformed' | 'timeout' | 'lost';

/** No session begins on this connection, which was reset. */
export class ProxyProtocolError extends Error {
  override readonly name = 'ProxyProtocolError';
  readonly failure: ProxyProtocolFailure;
  /** Who was at the other end of the socket. */
  readonly peer: PeerInformation;

  constructor(failure: ProxyProtocolFailure, peer: PeerInformation, text: string, cause?: Error) {
    super(`The connection from ${peer.address ?? 'a Unix socket'} is refused: ${text}`, cause && { cause });
    this.failure = failure;
    this.peer = peer;
  }
}

function ignore(): void {}

/** Milliseconds that a connection may stay after its last words. */
const FAREWELL = 1000;

function takeLeave(socket: Socket, lastWords: Uint8Array, clock: Clock): void {
  socket.end(lastWords);
  socket.resume(); // what was not read would make its end a reset, which overtakes the words
  const cancel = clock.set(clock.now() + FAREWELL, () => socket.destroy());
  socket.once('close', cancel);
}

function breakOff(socket: Socket): void {
  // Only TCP has a reset.
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** The header's client as far as it has an address; a name of a Unix socket means nothing on this host. */
function clientOf(header: ProxyHeader): PeerInformation | undefined {
  return header.family === 'tcp4' || header.family === 'tcp6' ? header.source : undefined;
}

/** Where the header's client connected to. */
function destinationOf(header: ProxyHeader): PeerInformation | undefined {
  return header.family === 'tcp4' || header.family === 'tcp6' ? header.destination : undefined;
}

/**
 * Reads the PROXY header off accepted sockets, each just as the server handed it over. `takeOver` is called with
 * it once the header is there, at the moment from which on its events may come: listen to them at once. The
 * promise gives what `takeOver` returned.
 * @throws {ProxyProtocolError} (rejects) no session is to begin here; the connection was reset
 */
export type AcceptProxied = <Result>(
  socket: Socket,
  takeOver: (connection: ProxiedConnection) => Result,
) => Promise<Result>;

const OPTION_NAMES = namesOf<ProxiedOptions>({
  isTrusted: true,
  others: true,
  timeout: true,
  maximumHeaderOctets: true,
  lastWords: true,
  clock: true,
});

/**
 * Makes what reads PROXY headers, of version 1 or 2. It never guesses whether there is one, but goes by who the peer is: a
 * trusted one without a header is refused, and so are all others unless they may connect directly.
 * @throws {RangeError} an option is out of its range
 * @throws {TypeError} an option is not known, `isTrusted` is no function, `lastWords` no octets, or `clock` none
 */
export function proxiedAcceptor(options: ProxiedOptions): AcceptProxied {
  checkObject('The option', options, OPTION_NAMES, 'proxied.');
  const {
    isTrusted,
    others = 'refused',
    timeout = 5000,
    maximumHeaderOctets = DEFAULT_MAXIMUM_HEADER_OCTETS,
    lastWords,
    clock = systemClock,
  } = options;
  if (typeof isTrusted !== 'function') {
    throw new TypeError(
      `The option proxied.isTrusted is ${isTrusted === undefined ? 'missing' : kindOf(isTrusted)}; trustedPeers([…]) makes the function that it takes`,
    );
  }
  if (others !== 'refused' && others !== 'direct') {
    throw new RangeError(
      `The option proxied.others is ${JSON.stringify(others)}; it takes refused or direct`,
    );
  }
  checkTime('proxied.timeout', timeout);
  checkCount('proxied.maximumHeaderOctets', maximumHeaderOctets, FIXED_PART);
  if (lastWords !== undefined && !(lastWords instanceof Uint8Array)) {
    throw new TypeError(`The option proxied.lastWords is ${kindOf(lastWords)}; it takes a Uint8Array`);
  }
  if (typeof clock?.now !== 'function' || typeof clock.set !== 'function') {
    throw new TypeError('The option proxied.clock is no clock; it takes an object with now() and set()');
  }

  /** Only `true` is trust: to take a promise, or a fault, for it would let everybody speak for anybody. */
  const trusts = (peer: PeerInformation): boolean => {
    let answer: unknown;
    guarded(
      () => {
        answer = isTrusted(peer);
        return answer;
      },
      (thrown) => complain('isTrusted', thrown),
    );
    return answer === true;
  };

  return (socket, takeOver) =>
    new Promise((resolve, reject) => {
      const peer = peerOf(socket);
      let received: Uint8Array | undefined;
      let cancelTimeout = ignore;

      function stopReading(): void {
        cancelTimeout();
        socket.off('readable', onReadable);
      }

      function stopWatching(): void {
        socket.off('end', onEnd);
        socket.off('error', onError);
        socket.off('close', onClose);
      }

      function refuse(failure: ProxyProtocolFailure, text: string, cause?: Error): void {
        stopReading();
        stopWatching();
        if (failure === 'malformed' && lastWords !== undefined) takeLeave(socket, lastWords, clock);
        else breakOff(socket);
        reject(new ProxyProtocolError(failure, peer, text, cause));
      }

      function onEnd(): void {
        refuse('lost', 'it ended before its PROXY header did');
      }

      function onError(error: Error): void {
        refuse('lost', 'it broke before its PROXY header ended', error);
      }

      function onClose(): void {
        refuse('lost', 'it was closed before its PROXY header ended');
      }

      function onReadable(): void {
        // Not `read()`: if that takes the last octets, it sets off `end`, which is for the one who takes over.
        const chunk: Buffer | null = socket.read(socket.readableLength);
        if (chunk === null) return;
        received = received === undefined ? chunk : Buffer.concat([received, chunk]);
        const verdict = parseProxyHeader(received, maximumHeaderOctets);
        if (verdict.type === 'malformed') {
          refuse('malformed', `it does not begin with a PROXY header: ${verdict.reason}`);
        } else if (verdict.type === 'header') {
          headerEnded(verdict, received);
        }
      }

      function headerEnded(
        { header, consumed }: ProxyHeaderVerdict & { readonly type: 'header' },
        octets: Uint8Array,
      ): void {
        stopReading();
        if (consumed < octets.length) socket.unshift(octets.subarray(consumed));
        // In its next tick, the socket notices that nobody waits for `readable` any more, and is as it was.
        process.nextTick(() => {
          if (socket.destroyed) return;
          stopWatching();
          handOver({ peer: clientOf(header) ?? peer, local: destinationOf(header), header });
        });
      }

      function handOver(connection: ProxiedConnection): void {
        try {
          resolve(takeOver(connection));
        } catch (thrown) {
          breakOff(socket);
          reject(thrownError(thrown, 'What takes over the connection'));
        }
      }

      socket.on('error', ignore);
      // Without an address of the peer, but with one of ours, or closed: a TCP connection that was reset. It must not
      // pass for a Unix socket, and nothing more would be heard of it.
      if (socket.destroyed || (peer.address === undefined && socket.localAddress !== undefined)) {
        refuse('lost', 'it broke before its PROXY header ended');
      } else if (!trusts(peer)) {
        if (others === 'direct') handOver({ peer, local: undefined, header: undefined });
        else refuse('untrusted', 'it is not on the list of those who may send a PROXY header');
      } else {
        cancelTimeout = clock.set(clock.now() + timeout, () =>
          refuse('timeout', `it did not send a whole PROXY header within ${timeout} ms`),
        );
        socket.on('end', onEnd);
        socket.on('error', onError);
        socket.on('close', onClose);
        socket.on('readable', onReadable);
      }
    });
}
