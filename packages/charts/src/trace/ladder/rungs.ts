/** The rungs of a ladder: what happened in a session, in plain data. */
import type { ContextChange, GuardOutcome, Span } from '@sansmtp/core';
import type { Closed, Decision, TlsHandshake, TracedError } from '../records.js';

/** What all rungs have. */
export interface RungBase {
  /** The `seq` of its record. */
  readonly seq: number;
  /** Of the record that led to it. */
  readonly cause?: number;
  /** Milliseconds since the session began. */
  readonly time: number;
  /** TLS protects the connection by now. */
  readonly underTls: boolean;
  /** It belongs to an AUTH exchange, from AUTH to the reply that ends it. */
  readonly authenticating: boolean;
}

/** A line on the wire, or a reply of several. */
export interface LineRung extends RungBase {
  readonly kind: 'line';
  readonly by: 'client' | 'server';
  /** For people; of a reply its lines with code and enhanced status code, as they go over the wire. */
  readonly lines: readonly string[];
  /** Of a command, if it is known; of a reply, the one that it answers. */
  readonly verb?: string;
  readonly code?: number;
  readonly enhancedCode?: string;
  /** Where it found the session. */
  readonly state: string;
  /** Octets with all CRLFs, if that is known. */
  readonly length?: number;
  /** Where they may be shown; of a command without its CRLF. */
  readonly octets?: Uint8Array;
  /** The parts of `octets`. */
  readonly spans: readonly Span[];
  /** Commands that came, or left, without waiting for a reply have one number, and their replies have it too. */
  readonly flight?: number;
  /** Of a server's reply: why it was given. */
  readonly reason?: Reason;
}

/** Why a server gave a reply. */
export interface Reason {
  /** After "because", such as `no recipient was accepted`. */
  readonly words: string;
  /** Where the command found the session. */
  readonly state: string;
  /** Present where the command was out of order: the verbs that this state takes. */
  readonly takes?: readonly string[];
  /** The RFC section, most often. */
  readonly description?: string;
  /** The whole sentence: `503 because no recipient was accepted: session.transaction.opened takes RCPT, RSET, …`. */
  readonly sentence: string;
}

/** A transition was taken. */
export interface StateRung extends RungBase {
  readonly kind: 'state';
  readonly event: string;
  /** The transition's `id` in the description of the chart; absent at the beginning. */
  readonly transition?: string;
  /** Absent at the beginning. */
  readonly from?: string;
  /** The same as `from` where the session stayed where it was. */
  readonly to: string;
  readonly left: readonly string[];
  readonly entered: readonly string[];
  readonly guards: readonly GuardOutcome[];
  readonly effects: readonly string[];
  readonly changes: readonly ContextChange[];
  readonly description?: string;
}

/** Mail data. */
export interface MailDataRung extends RungBase {
  readonly kind: 'mailData';
  readonly length: number;
  readonly hash: string;
  readonly complete: boolean;
  readonly octets?: Uint8Array;
}

export interface DecisionRung extends RungBase {
  readonly kind: 'decision';
  readonly decision: Decision;
}

export interface TimerRung extends RungBase {
  readonly kind: 'timer';
  readonly action: 'set' | 'cleared';
  readonly timer: string;
  readonly state: string;
  readonly delay?: number;
}

export interface BytesRung extends RungBase {
  readonly kind: 'bytes';
  readonly length: number;
}

export interface TlsRung extends RungBase {
  readonly kind: 'tls';
  readonly handshake: TlsHandshake;
}

export interface ErrorRung extends RungBase {
  readonly kind: 'error';
  readonly error: TracedError;
}

/** Records are missing here. */
export interface GapRung extends RungBase {
  readonly kind: 'gap';
  /** How many. */
  readonly missing: number;
}

export interface ClosedRung extends RungBase {
  readonly kind: 'closed';
  readonly closed: Closed;
}

export type Rung =
  | LineRung
  | StateRung
  | MailDataRung
  | DecisionRung
  | TimerRung
  | BytesRung
  | TlsRung
  | ErrorRung
  | GapRung
  | ClosedRung;
