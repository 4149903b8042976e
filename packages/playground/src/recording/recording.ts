/**
 * A session as the page shows it, wherever it comes from: simulated here, read from a file, or followed live. It is made
 * of trace records and of nothing else but what no trace holds: octets that are on their way.
 */
import type { Reason, Rung } from '@sansmtp/charts/trace';
import type { Span } from '@sansmtp/core';
import type { End } from '../simulation/ends.js';

export interface Recording {
  /** The ends that were recorded: both, or the one at which a trace was written. */
  readonly ends: readonly End[];
  readonly moments: readonly Moment[];
  /** From top to bottom. */
  readonly wire: readonly WireItem[];
}

/** Where the page can stand: after one step of a session. */
export interface Moment {
  /** Milliseconds since the session began. */
  readonly time: number;
  /** What happened, in a sentence. */
  readonly title: string;
  /** Where each end stands now; undefined: it was not recorded. */
  readonly states: Readonly<Partial<Record<End, string>>>;
  /** What each end recorded in this step. */
  readonly rungs: Readonly<Record<End, readonly Rung[]>>;
}

export type WireItem = WireLine | WireNote;

/** Something that one end says: a command, a reply, a message. */
export interface WireLine {
  readonly kind: 'line';
  readonly key: string;
  readonly from: End;
  readonly lines: readonly string[];
  readonly verb?: string;
  readonly code?: number;
  /** The text of a message, or a chunk of it. */
  readonly isMailData: boolean;
  /** Absent where they may not be shown. */
  readonly octets?: Uint8Array;
  readonly length?: number;
  readonly spans: readonly Span[];
  /** The moment after which it is on its way. */
  readonly sent: number;
  /** The moment after which it has arrived; undefined: it never does. */
  readonly arrived?: number;
  /** Where it begins in all that this end sends. */
  readonly offset?: number;
  /** Somebody on the way has put it there, or changed it. */
  readonly isForged: boolean;
  readonly underTls: boolean;
  /** Where the two ends stood once it was sent, and once it had arrived. */
  readonly states: Readonly<Partial<Record<End, string>>>;
  /** Of a server's reply. */
  readonly reason?: Reason;
  /** Lines that left together have one number. */
  readonly flight: number;
}

/** Something that happens beside the wire. */
export interface WireNote {
  readonly kind: 'note';
  readonly key: string;
  /** At which end; undefined: at both, or between them. */
  readonly end?: End;
  readonly text: string;
  readonly moment: number;
  readonly tone: 'decision' | 'deadline' | 'tls' | 'ending' | 'fault';
}
