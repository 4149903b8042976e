/**
 * What a trace is made of: the events that observers are told, those of `@sansmtp/core` and those of the drivers. The
 * latter stand here as far as a trace needs them, for a package of this floor imports the core alone.
 */
import type { ClientProtocolEvent, ServerProtocolEvent, TlsInformation } from '@sansmtp/core';

/** Of both ends. */
type ConnectionHappening =
  | { readonly type: 'opened'; readonly time: number; readonly tls?: TlsInformation }
  | { readonly type: 'received' | 'sent'; readonly time: number; readonly length: number }
  | { readonly type: 'mailData'; readonly time: number; readonly octets: Uint8Array }
  | {
      readonly type: 'tls';
      readonly time: number;
      readonly outcome: 'established';
      readonly tls: TlsInformation;
    }
  | { readonly type: 'tls'; readonly time: number; readonly outcome: 'failed'; readonly error: Error }
  | { readonly type: 'fault'; readonly time: number; readonly callback: string; readonly error: unknown }
  | { readonly type: 'excess'; readonly time: number; readonly limit: string }
  | {
      readonly type: 'closed';
      readonly time: number;
      readonly ending: string;
      readonly state: string;
      readonly reason?: Error;
      readonly duration: number;
      readonly octetsReceived: number;
      readonly octetsSent: number;
    };

/** What an observer of a server or a client is told. */
export type TraceableEvent = ServerProtocolEvent | ClientProtocolEvent | ConnectionHappening;

/** The session that it happens to, as far as a trace has it. */
export interface TraceableSession {
  /** Unique: the trace's `group_id`. */
  readonly id: string;
  readonly peer?: TraceableAddress;
  readonly local?: TraceableAddress;
  /** The label of the listener. */
  readonly listener?: string | undefined;
}

interface TraceableAddress {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}
