/**
 * The trace of sessions: what stands in the file. NDJSON in the shape of qlog (draft-ietf-quic-qlog-main-schema): a first
 * line that says what it is, then a record a line. Times are monotonic milliseconds.
 *
 * - No record holds an octet of an AUTH exchange, and none one of a message unless that was asked for.
 * - `seq` counts within `group_id`, which is the connection; `cause` is the `seq` of the record that led to this one.
 */
import type { ContextChange, GuardOutcome, Span } from '@sansmtp/core';

/** At which end the session ran. */
export type End = 'server' | 'client';

/** The first line of a trace. */
export interface TraceHeader {
  readonly file_schema: 'urn:ietf:params:qlog:file:sequential';
  readonly serialization_format: 'application/x-ndjson';
  readonly title: string;
  readonly trace: {
    readonly vantage_point: { readonly type: End; readonly name?: string };
    readonly event_schemas: readonly string[];
    readonly common_fields: {
      readonly time_format: 'relative_to_epoch';
      readonly reference_time: ReferenceTime;
    };
    /** The chart that ran: its id, and a hash of its description. */
    readonly machine: { readonly id: string; readonly hash: string };
  };
}

/** What the times of a trace are relative to. `wall_clock_time` is that of the record, in RFC 3339's form. */
export interface ReferenceTime {
  readonly clock_type: 'monotonic';
  readonly epoch: 'unknown';
  readonly wall_clock_time?: string;
}

/** Octets that a record is about: how many, and where they may be shown, which, in hex. */
export interface RawOctets {
  /** Absent of a line that was refused before its end came. */
  readonly length?: number;
  readonly data?: string;
}

export interface BytesReceived {
  readonly raw: { readonly length: number };
}

/** A command, or a line in an AUTH exchange. */
export interface CommandLine {
  /** For people, without control characters; `[20 octets]` stands for what is withheld. */
  readonly line: string;
  /** Absent: no known verb. */
  readonly verb?: string;
  /** Where it found the session, or was sent. */
  readonly state: string;
  /** It belongs to an AUTH exchange that has begun. */
  readonly exchange?: true;
  /** At a server: the line is no command, and the reply that says so. */
  readonly refusal?: TracedReply;
  /** With its CRLF in the length, and without in the octets. */
  readonly raw: RawOctets;
  /** Where the parts of `raw.data` stand. */
  readonly spans: readonly Span[];
}

export interface TracedReply {
  readonly code: number;
  readonly enhanced_code?: string;
  readonly lines: readonly string[];
}

export interface ReplyLine extends TracedReply {
  /** Of the command that it answers, if that is known. */
  readonly verb?: string;
  /** Where that command found the session; at a client, where the reply did. */
  readonly state: string;
  /** At a server, by what a reply of the session's own goes, such as `rcptFirst`. */
  readonly title?: string;
  readonly raw: RawOctets;
  readonly spans: readonly Span[];
}

/** A transition was taken, or the session began. */
export interface StateUpdated {
  /** What the chart was told; `opened` for the beginning. */
  readonly event: string;
  /** The transition's `id` in the description of the chart; absent at the beginning. */
  readonly transition?: string;
  /** Absent at the beginning. */
  readonly old?: string;
  readonly new: string;
  readonly left: readonly string[];
  readonly entered: readonly string[];
  readonly guards: readonly GuardOutcome[];
  readonly effects: readonly string[];
  readonly changes: readonly ContextChange[];
  /** The RFC section, most often. */
  readonly description?: string;
  /** At the beginning alone. */
  readonly connection?: TracedConnection;
}

export interface TracedConnection {
  readonly peer?: TracedAddress;
  readonly local?: TracedAddress;
  /** The label of the listener that accepted it. */
  readonly listener?: string;
  /** TLS protects it from the first octet on. */
  readonly tls?: TracedTls;
}

export interface TracedAddress {
  readonly address?: string;
  readonly port?: number;
}

export interface TracedTls {
  readonly protocol?: string;
  readonly cipher?: string;
  readonly server_name?: string;
  readonly authorized?: boolean;
}

/** Mail data, transparency undone: a message, or a chunk of one. */
export interface MailDataRecord {
  readonly raw: { readonly length: number; readonly data?: string };
  /** Of these octets: `sha256:` and hex. */
  readonly hash: string;
  /** It has come to its end. */
  readonly complete: boolean;
}

export interface TimerRecord {
  /** The name of the delay, such as `idle`. */
  readonly timer: string;
  /** The state that it belongs to. */
  readonly state: string;
  /** Milliseconds, when it was set; absent: endless. */
  readonly delay?: number;
}

/** What was decided, and by whom. */
export type Decision =
  /** By the application of a server. */
  | {
      readonly about: 'question';
      /** Such as `rcpt`. */
      readonly question: string;
      /** On whom or what: an address, a name. */
      readonly subject?: string;
      readonly decision: 'accept' | 'reject';
      /** The application's own reply; absent: the default. */
      readonly reply?: TracedReply;
      /** Milliseconds since the question. */
      readonly waited: number;
    }
  /** An AUTH exchange has come to its end. */
  | {
      readonly about: 'authentication';
      readonly mechanism: string;
      readonly username?: string;
      readonly outcome: string;
    }
  /** A message has come to its end: at a server for all recipients, at a client for each. */
  | {
      readonly about: 'message';
      readonly outcome: string;
      readonly length: number;
      readonly reason?: string;
      readonly recipients?: readonly { readonly address: string; readonly verdict: string }[];
    };

export interface TlsHandshake extends TracedTls {
  readonly outcome: 'established' | 'failed';
  /** Why it failed. */
  readonly error?: string;
}

export interface Closed {
  /** `quit`, `peerClosed`, `lost`, `timeout`, `dismissed` or `shutdown`. */
  readonly ending: string;
  /** Where the session stood when it began to end. */
  readonly state: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly octets_received: number;
  readonly octets_sent: number;
  /** Why the connection broke. */
  readonly reason?: string;
}

export interface TracedError {
  /** `fault`: a callback threw. `failed`: a client's session did. `excess`: a limit of connections was reached. */
  readonly kind: 'fault' | 'failed' | 'excess';
  readonly message: string;
}

/** What each record holds, by its name. */
export interface TraceData {
  readonly 'smtp:bytes_received': BytesReceived;
  readonly 'smtp:command_received': CommandLine;
  readonly 'smtp:command_sent': CommandLine;
  readonly 'smtp:reply_received': ReplyLine;
  readonly 'smtp:reply_sent': ReplyLine;
  readonly 'smtp:state_updated': StateUpdated;
  readonly 'smtp:data': MailDataRecord;
  readonly 'smtp:timer_set': TimerRecord;
  readonly 'smtp:timer_cleared': TimerRecord;
  readonly 'smtp:decision': Decision;
  readonly 'tls:handshake': TlsHandshake;
  readonly 'smtp:closed': Closed;
  readonly 'smtp:error': TracedError;
}

export type TraceName = keyof TraceData;

/** One record; `name` says what `data` holds. */
export type TraceRecord = {
  readonly [Name in TraceName]: {
    readonly time: number;
    /** Counts from 0 within `group_id`. */
    readonly seq: number;
    /** The `seq` of the record that led to this one, where one did. */
    readonly cause?: number;
    /** The id of the session. */
    readonly group_id: string;
    readonly name: Name;
    readonly data: TraceData[Name];
    /** In the first record of a session. */
    readonly reference_time?: ReferenceTime;
  };
}[TraceName];

export type RecordOf<Name extends TraceName> = Extract<TraceRecord, { readonly name: Name }>;
