/** A moment of a scripted session, with every octet of the client: each octet belongs to one moment. */
import type { Moment } from './script.js';

export interface PassedMoment {
  /** Counted from 1 on, as the connections came. */
  readonly connection: number;
  /** `closed`: the connection is over. */
  readonly moment: Moment | 'closed';
  /**
   * What the client sent since the moment before, as it came: the command with its line end, a chunk of BDAT included; the
   * mail data with its dots and the final one; a response of AUTH; at the end whatever nobody has read. Secrets are in it.
   */
  readonly octets: Uint8Array;
  /** How many octets had come beyond them before the server said the last of its reply: the client did not wait for it. */
  readonly ahead: number;
  /** What the server said, line ends included. */
  readonly said: Uint8Array;
  /** Under TLS. */
  readonly secure: boolean;
  /** After this the server ended the connection, or broke it off. */
  readonly ended: boolean;
}
