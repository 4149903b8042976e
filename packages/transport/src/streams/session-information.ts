/** What a handler and an observer may know of a connection, at either end. */
import type { PeerInformation } from './byte-stream.js';

/** A connection, at either end. */
export interface ConnectionInformation {
  /** Unique among all processes; the same in logs and traces. */
  readonly id: string;
  /** Who is at the other end; at a server, once a trusted peer has said so by XCLIENT, for whom it speaks. */
  readonly peer: PeerInformation;
  /** Our own end; behind a proxy, where the client connected to. Without an address on Unix sockets and in memory. */
  readonly local: PeerInformation;
}

/** What is known of a connection before its session begins. */
export interface Arrival {
  readonly id: string;
  readonly peer: PeerInformation;
  readonly local?: PeerInformation | undefined;
  /** The label of the listener that accepted it. */
  readonly listener?: string | undefined;
}
