/** A Duplex that somebody else has made becomes a stream's. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * @throws {TypeError} it does not give octets, or does not stand yet
 */
export function ownDuplex(duplex: Duplex): void {
  if (typeof duplex?.on !== 'function' || typeof duplex.write !== 'function') {
    throw new TypeError(
      `The socket is ${duplex ? 'none' : String(duplex)}; it takes a socket, or another Duplex of octets`,
    );
  }
  if (duplex.readableObjectMode || duplex.writableObjectMode) {
    throw new TypeError('The stream is in object mode: a session needs octets');
  }
  if (duplex.readableEncoding !== null) {
    throw new TypeError(`The stream gives texts (${duplex.readableEncoding}): leave setEncoding() out`);
  }
  // The peer may end its side and still wait for our reply.
  duplex.allowHalfOpen = true;
  if (!(duplex instanceof Socket)) return;
  if (duplex.connecting) throw new TypeError('The socket is still connecting: wait for its event connect');
  duplex.setNoDelay(true);
}
