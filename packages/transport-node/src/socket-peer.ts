/** Who is at the other end of a socket. */
import type { Socket } from 'node:net';
import type { PeerInformation } from '@sansmtp/transport';
import { canonicalAddress } from './canonical-address.js';

const NOWHERE: PeerInformation = {};

/** Without an address for a Unix socket, and for a TCP connection that is gone already. */
export function peerOf({ remoteAddress, remotePort }: Socket): PeerInformation {
  if (remoteAddress === undefined || remotePort === undefined) return NOWHERE;
  return { address: canonicalAddress(remoteAddress), port: remotePort };
}
