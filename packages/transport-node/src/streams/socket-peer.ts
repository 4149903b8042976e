/** Who is at either end of a socket. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PeerInformation } from '@sansmtp/transport';
import { canonicalAddress } from '../canonical-address.js';

const NOWHERE: PeerInformation = {};

/** Without an address for a Unix socket, for a TCP connection that is gone already, and for what is no socket. */
export function peerOf(duplex: Duplex): PeerInformation {
  if (!(duplex instanceof Socket)) return NOWHERE;
  const { remoteAddress, remotePort } = duplex;
  if (remoteAddress === undefined || remotePort === undefined) return NOWHERE;
  return { address: canonicalAddress(remoteAddress), port: remotePort };
}

/** Our own end; without an address as `peerOf`. */
export function localOf(duplex: Duplex): PeerInformation {
  if (!(duplex instanceof Socket)) return NOWHERE;
  const { localAddress, localPort } = duplex;
  if (localAddress === undefined || localPort === undefined) return NOWHERE;
  return { address: canonicalAddress(localAddress), port: localPort };
}
