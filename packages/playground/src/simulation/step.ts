/** What a simulated session is told in: steps, one after the other. */
import type {
  ClientProtocolEvent,
  ClientState,
  Question,
  ServerProtocolEvent,
  ServerState,
} from '@sansmtp/core';
import type { Choice } from './choices.js';
import type { End } from './ends.js';

/** What happened in a step. */
export type Happening =
  /** The connection stands. */
  | { readonly kind: 'opened' }
  /** A segment arrived. */
  | {
      readonly kind: 'arrival';
      readonly from: End;
      readonly octets: Uint8Array;
      /** Octets of that end that had arrived before. */
      readonly offset: number;
      /** The flight is this long, and so many octets of it had arrived before. */
      readonly flight: { readonly length: number; readonly before: number };
      /** Somebody on the way has put it there, or changed it. */
      readonly forged: boolean;
    }
  /** One end has closed its sending side, and the other learns of it. */
  | { readonly kind: 'end'; readonly from: End }
  | { readonly kind: 'answer'; readonly question: Question['kind']; readonly decision: 'accept' | 'reject' }
  | { readonly kind: 'tls'; readonly established: boolean }
  /** The client's application did something. */
  | { readonly kind: 'act'; readonly act: 'send' | 'inquire' | 'quit' | 'mailData' }
  | { readonly kind: 'deadline'; readonly end: End }
  | { readonly kind: 'lost' }
  | { readonly kind: 'shutdown' };

/** What an end told of itself, or the octets of a message that its application has handed in or been given. */
export type Told =
  | { readonly end: 'client'; readonly event: ClientProtocolEvent }
  | { readonly end: 'server'; readonly event: ServerProtocolEvent }
  | { readonly end: End; readonly mailData: Uint8Array };

/** A flight, as it leaves. */
export interface Sent {
  readonly from: End;
  readonly octets: Uint8Array;
  /** What the end itself had written, where somebody on the way has changed it. */
  readonly written?: Uint8Array;
}

/** How things stand after a step. */
export interface Standing {
  readonly states: { readonly client: ClientState; readonly server: ServerState };
  /** The question that the server's application has yet to answer. */
  readonly question: Question['kind'] | undefined;
  /** What arrives from each end next, one character an octet. */
  readonly underWay: Readonly<Record<End, string | undefined>>;
  /** The TLS handshake is under way. */
  readonly isSecuring: boolean;
}

/** One step: a turn, or one segment of a flight. */
export interface Step {
  readonly turn: number;
  /** Virtual milliseconds. */
  readonly now: number;
  readonly happening: Happening;
  /** What was chosen otherwise in this turn. */
  readonly choice: Choice | undefined;
  readonly told: readonly Told[];
  /** What was put on the link when the turn was over; only in its last step. */
  readonly sent: readonly Sent[];
  readonly standing: Standing;
}
