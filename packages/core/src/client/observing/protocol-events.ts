/**
 * What a client session tells of itself, as far as the option `observe` wants it: one record for each thing that happens,
 * in the order in which it happens. Logs, metrics and traces are made of them.
 *
 * - No record holds an octet of an AUTH exchange: of what was said there, only how long it was; of what the server says
 *   later, no text that quotes the credentials.
 * - No record holds an octet of a message.
 * - `time` is the `now` of the input that led to it, in monotonic milliseconds.
 */
import type { TransitionRecord } from '../../chart/table/transition-record.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ClientState } from '../chart/chart-events.js';
import type { ClientEnvelope } from '../envelope/envelope.js';
import type { SessionFailure, Verdict } from '../envelope/outcomes.js';

/** What happened in a client session; `type` says what. */
export type ClientProtocolEvent =
  /** A command was written. It leaves with those that follow it, if any (RFC 2920 §3.1). */
  | {
      readonly type: 'command';
      readonly time: number;
      readonly verb: string;
      /** Without its CRLF; the initial response of AUTH is told by its length. */
      readonly line: string;
      /** Octets with the CRLF. */
      readonly length: number;
    }
  /** Our line in an AUTH exchange. */
  | {
      readonly type: 'response';
      readonly time: number;
      /** Octets with the CRLF. */
      readonly length: number;
    }
  /** The server has replied. */
  | {
      readonly type: 'reply';
      readonly time: number;
      /** In an AUTH exchange its text is told by its length. */
      readonly reply: Reply;
      /** Where it found the session. */
      readonly state: ClientState;
    }
  /** The chart took a transition. */
  | ({ readonly type: 'transition'; readonly time: number } & TransitionRecord)
  /** A deadline began to run. When it is due, it is the `event` of a transition. */
  | {
      readonly type: 'timerSet';
      readonly time: number;
      readonly id: string;
      /** Milliseconds; possibly `Infinity`. */
      readonly delay: number;
    }
  | { readonly type: 'timerCleared'; readonly time: number; readonly id: string }
  /** An AUTH exchange that had begun has come to its end. */
  | {
      readonly type: 'authentication';
      readonly time: number;
      readonly mechanism: string;
      /** Whose credentials they are; absent with a certificate. */
      readonly username?: string;
      /** `refused`: by 5yz. `unavailable`: by 4yz. `abandoned`: we gave up, or the session ended first. */
      readonly outcome: 'accepted' | 'refused' | 'unavailable' | 'abandoned';
    }
  /** A mail transaction is over. */
  | {
      readonly type: 'message';
      readonly time: number;
      readonly envelope: ClientEnvelope;
      /** Octets that were handed in. */
      readonly size: number;
      /** One for each recipient, in the order of the envelope. */
      readonly verdicts: readonly Verdict[];
    }
  /** The session ended other than by QUIT. */
  | { readonly type: 'failed'; readonly time: number; readonly failure: SessionFailure };
