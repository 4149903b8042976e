/**
 * What a server session tells of itself, as far as the option `observe` wants it: one record for each thing that happens,
 * in the order in which it happens. Logs, metrics and traces are made of them.
 *
 * - No record holds an octet of an AUTH exchange: of what was said there, only how long it was. Who was to be let in is
 *   told once it is decided.
 * - No record holds an octet of a message.
 * - `time` is the `now` of the input that led to it, in monotonic milliseconds.
 */
import type { TransitionRecord } from '../../chart/table/transition-record.js';
import type { ForwardPath } from '../../wire/commands/path.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ServerState } from '../chart/chart-events.js';
import type { AbandonReason, Answer, Envelope, Question } from '../decisions/questions.js';
import type { ReplyTitle } from '../decisions/replies.js';
import type { RecordedLine } from './line-record.js';

/** A question as it may be recorded: those of AUTH hold secrets, so of them only who, and by which mechanism. */
export type RecordedQuestion =
  | Exclude<Question, { readonly kind: 'credentials' | 'authenticate' }>
  | {
      readonly kind: 'credentials' | 'authenticate';
      readonly mechanism: string;
      readonly username?: string;
    };

/** What happened in a server session; `type` says what. */
export type ServerProtocolEvent =
  /** A line came where a command was expected: what of it may be recorded. */
  | ({
      readonly type: 'command';
      readonly time: number;
      /** Where it found the session. */
      readonly state: ServerState;
      /** Present: the line is no command, or its extension is not offered; the reply that says so. */
      readonly refusal?: Reply;
    } & RecordedLine)
  /** The client's line in an AUTH exchange. */
  | {
      readonly type: 'response';
      readonly time: number;
      /** Octets with the CRLF; absent where the line was refused before its end came. */
      readonly length?: number;
    }
  /** The chart took a transition. */
  | ({ readonly type: 'transition'; readonly time: number } & TransitionRecord)
  /** A deadline began to run, or began anew. When it is due, it is the `event` of a transition. */
  | {
      readonly type: 'timerSet';
      readonly time: number;
      readonly id: string;
      /** Milliseconds; possibly `Infinity`. */
      readonly delay: number;
    }
  | { readonly type: 'timerCleared'; readonly time: number; readonly id: string }
  /** The application has answered a question. */
  | {
      readonly type: 'decision';
      readonly time: number;
      readonly question: RecordedQuestion;
      readonly decision: Answer['decision'];
      /** The application's own reply; absent: the default. */
      readonly reply?: Reply;
      /** Milliseconds since the question. */
      readonly waited: number;
    }
  /** A reply was given. It leaves with those behind it, if any (RFC 2920 §3.2). */
  | {
      readonly type: 'reply';
      readonly time: number;
      /** As the client will read it; the text of a 334 is withheld. */
      readonly reply: Reply;
      /** Octets with all CRLFs. */
      readonly length: number;
      /**
       * The verb of the command that it answers, if it is known; AUTH to the end of its exchange. Absent for the greeting,
       * for what ends the session unasked, and for a message.
       */
      readonly verb?: string;
      /** Where that command found the session; without a command, where the session stood. */
      readonly state: ServerState;
      /** By what the reply goes; absent where the application wrote it, or where it tells of a line's own fault. */
      readonly title?: ReplyTitle;
    }
  /**
   * A reply of 4yz or 5yz: a command was refused, or the session is ended. It comes after its `reply`, for those who do
   * not want all replies. What becomes of a message, `message` tells.
   */
  | ({
      readonly type: 'refusal';
      readonly time: number;
      readonly reply: Reply;
      /** The verb of the command, if it is known. */
      readonly verb?: string;
      /** Octets of the command with its line end; absent where its line was refused before the end came. */
      readonly length?: number;
      /** Where the command found the session; without a command, where the session stood. */
      readonly state: ServerState;
    } & (
      | { readonly refused: 'recipient'; readonly forwardPath: ForwardPath }
      /** `session`: it is ended unasked. */
      | { readonly refused: 'command' | 'session' }
    ))
  /** An AUTH exchange that had begun has come to its end. */
  | {
      readonly type: 'authentication';
      readonly time: number;
      readonly mechanism: string;
      /** Who they said they are; absent if it did not come to that, and with tokens and certificates that do not say. */
      readonly username?: string;
      /**
       * `refused`: wrong, or not allowed in. `malformed`: what they sent is not of the mechanism. `unavailable`: nobody
       * could decide for the time being. `abandoned`: they gave up, or the session ended first.
       */
      readonly outcome: 'accepted' | 'refused' | 'malformed' | 'unavailable' | 'abandoned';
    }
  /** A message that had begun to arrive has come to its end. */
  | {
      readonly type: 'message';
      readonly time: number;
      /**
       * `accepted`: it is the application's, for one recipient at least. `refused`: for all of them. `abandoned`: neither
       * was said to the client, who has it still.
       */
      readonly outcome: 'accepted' | 'refused' | 'abandoned';
      readonly envelope: Envelope;
      /** Octets that came, transparency undone. */
      readonly size: number;
      /** One, or in LMTP one for each recipient; none if it was abandoned. */
      readonly replies: readonly Reply[];
      /**
       * Why the session refused it (`malformed`, `tooLarge`), or why it was abandoned: `reset`, `closed`, or `undecided`,
       * where the session ended before the application had decided, which may have stored it all the same. Absent where
       * the application has decided.
       */
      readonly reason?: AbandonReason | 'undecided';
    };
