/**
 * What a client without a fully qualified name calls itself in EHLO: its address on this connection (RFC 5321 §4.1.4).
 */
import type { PeerInformation } from '../streams/byte-stream.js';

/** The address as a literal (RFC 5321 §4.1.3); `localhost` where there is none, as on a Unix socket. */
export function clientName({ address }: PeerInformation): string {
  if (address === undefined) return 'localhost';
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}
