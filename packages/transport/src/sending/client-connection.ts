/**
 * An open session with a server, as whoever sends mail sees it; and what opening one takes.
 */
import type {
  ClientInquiry,
  ClientSessionOptions,
  EnvelopeInput,
  Reply,
  ServerOffer,
  TransitionRecord,
  Verdict,
} from '@sansmtp/core';
import type { Cryptography } from '../cryptography.js';
import type { ClientObserver } from '../observing/observer.js';
import type { Clock } from '../time/clock.js';

/** What an `AbortSignal` is to us; every runtime has them, and no runtime's types are needed. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * A message: text is sent as UTF-8. Lines may end in LF, which is sent as CRLF (see `newlines`). An iterable is
 * read once the server wants the message, and told by `return()` when it is not read to its end.
 */
export type MessageSource = string | Uint8Array | AsyncIterable<Uint8Array>;

/** The TLS that there is from the start is the stream's to know. */
export interface OpenSessionOptions extends Omit<ClientSessionOptions, 'observe' | 'tls' | 'hostname'> {
  /**
   * The name given in EHLO, LHLO and HELO (RFC 5321 §4.1.4): a fully qualified one, or none.
   * @default the connection's local address as a literal, such as `[192.0.2.1]`; `localhost` over a Unix socket
   */
  readonly hostname?: string;
  readonly clock: Clock;
  /**
   * Computes the digests of SCRAM and CRAM-MD5.
   * @default webCryptography()
   */
  readonly cryptography?: Cryptography;
  /** Drops the connection when it is aborted before the session is open; the error's `cause` is its reason. */
  readonly signal?: CancelSignal;
  /**
   * Called with what passes on the wire, for a transcript; the octets of a message included, but of an AUTH exchange,
   * and of a line that quotes the credentials later, only how many there were. What it throws goes to `onError`.
   */
  readonly onWire?: (direction: 'sent' | 'received', bytes: Uint8Array) => void;
  /**
   * Told of what happens: a function of everything, an object with functions of these kinds of events. What it throws goes
   * to `onError`.
   * @default nobody; subscribers of the channels `sansmtp:client:…` of `node:diagnostics_channel` are told all the same
   */
  readonly observer?: ClientObserver;
  /** Called with each step of the session's chart. What it throws goes to `onError`. */
  readonly onTransition?: (record: TransitionRecord) => void;
  /**
   * Called with what a callback of these options throws, at once or by a promise: the session goes on.
   * @default it is written to stderr
   */
  readonly onError?: (error: unknown) => void;
}

/** What there is to say of the delivery of one message in a session. */
export interface SessionSendOptions {
  /** Drops the connection when it is aborted: the verdicts then say what is known. */
  readonly signal?: CancelSignal;
  /**
   * Called once the whole message but its end is written: the final dot, or the chunk `BDAT … LAST`, goes out right after it
   * resolves, in the same turn. For whoever has to store first that the message may arrive (RFC 1047). If the connection
   * cannot take the end by then, it is called again once it can.
   * @param recipients to whom the message may go with that, by their places in the envelope: those whom the server has accepted
   */
  readonly beforeFinalDot?: (recipients: readonly number[]) => Promise<void>;
}

/** An open session with a server. */
export interface ClientConnection {
  /** What the server offered. */
  readonly offer: ServerOffer;
  /** Resolves when the connection is closed, whatever the reason. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Delivers one message; one at a time. Resolves with a verdict for each recipient, in the envelope's order,
   * also when the session breaks or `signal` is aborted: the verdicts then say what is known.
   * @throws {LocalProtocolError} the envelope cannot be sent, something else is under way, or QUIT was said
   * @throws {ExtensionNotOfferedError} the envelope needs what the server does not offer; nothing was sent
   * @throws {SessionError} the session had failed before, for which nobody here is to blame: open another
   * @throws {TypeError} there is no message; nothing was sent
   * @throws {MailDataError} the message holds a bare CR or NUL; the connection is dropped, nothing is delivered
   * @throws what the body throws, a `TypeError` if it yields no octets; the connection is dropped, nothing is
   *   delivered
   * @throws what `beforeFinalDot` throws; likewise
   */
  send(
    envelope: EnvelopeInput,
    message: MessageSource,
    options?: SessionSendOptions,
  ): Promise<readonly Verdict[]>;
  /**
   * Asks something beside all messages: VRFY, EXPN, HELP, NOOP, ETRN, or a verb of an extension. Resolves with the
   * reply, whether or not it refuses.
   * @throws {LocalProtocolError} the command is none of these, something else is under way, or QUIT was said
   * @throws {ExtensionNotOfferedError} the server does not offer the extension that defines the verb
   * @throws {SessionError} the session has failed, or fails before the reply
   */
  inquire(command: ClientInquiry): Promise<Reply>;
  /**
   * Ends the session by QUIT. Resolves when the connection is closed; harmless when the session is over.
   * @throws {LocalProtocolError} a message is under way
   */
  quit(): Promise<void>;
  /** Drops the connection at once. */
  abort(reason?: Error): void;
}
