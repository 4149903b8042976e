/**
 * Observing: what happens, with the session that it happens to. Logs, metrics, traces and pages are made of it. An
 * observer looks on: what it returns counts for nothing, and what it throws goes to `onError` and changes nothing.
 *
 * - What no observer wants to know is not made: one that names the kinds it wants pays for these alone.
 * - No event holds an octet of an AUTH exchange. The octets of a message stand in `mailData` alone.
 * - `time` is the clock's, in monotonic milliseconds.
 */
import type {
  ClientProtocolEvent,
  ClientState,
  ServerProtocolEvent,
  ServerState,
  TlsInformation,
} from '@sansmtp/core';
import type { ServerSessionInformation } from '../handlers/handlers.js';
import type { ConnectionInformation } from '../streams/session-information.js';

/** What happens to a connection, at either end. */
export type ConnectionEvent =
  /** The session begins. `tls` is set where it is protected from the start. Comes first. */
  | { readonly type: 'opened'; readonly time: number; readonly tls?: TlsInformation }
  /** Octets came, or were handed to the transport; under TLS, what it protects. */
  | { readonly type: 'received' | 'sent'; readonly time: number; readonly length: number }
  /**
   * A piece of a message, transparency undone; at the client, before it is made transparent. Usually a view: copy it to
   * keep it.
   */
  | { readonly type: 'mailData'; readonly time: number; readonly octets: Uint8Array }
  /** A TLS handshake, by STARTTLS or from the first octet on. */
  | {
      readonly type: 'tls';
      readonly time: number;
      readonly outcome: 'established';
      readonly tls: TlsInformation;
    }
  | { readonly type: 'tls'; readonly time: number; readonly outcome: 'failed'; readonly error: Error }
  /**
   * Something that the application has given threw: a handler, a callback, a body. `onError` has it too, and alone what is thrown
   * after `closed`.
   */
  | {
      readonly type: 'fault';
      readonly time: number;
      /** Its name, such as `onRcptTo`. */
      readonly callback: string;
      readonly error: unknown;
    };

/** How a session ended. */
export type Ending =
  /** QUIT was said. */
  | 'quit'
  /** The peer ended its side first, without QUIT. */
  | 'peerClosed'
  /** The connection broke, or was dropped by this side. */
  | 'lost'
  /** Nothing came in time, or nothing was decided in time. */
  | 'timeout'
  /** This side ended it: by 421, or at the client because it could not go on. */
  | 'dismissed'
  /** The service goes down (421 4.3.2). */
  | 'shutdown';

/** The connection is closed, both ways. Comes last. */
export interface ClosedEvent<State extends string> {
  readonly type: 'closed';
  readonly time: number;
  readonly ending: Ending;
  /** Where the session stood when it began to end. */
  readonly state: State;
  /** Why the connection broke, if it did. */
  readonly reason?: Error;
  /** Milliseconds since the session began. */
  readonly duration: number;
  /** Octets that came in, and octets that went out; under TLS, what it protects. */
  readonly octetsReceived: number;
  readonly octetsSent: number;
}

/** What happens to a server's session; `type` says what. */
export type ServerEvent =
  | ServerProtocolEvent
  | ConnectionEvent
  /**
   * A connection was refused or dropped, since there are too many: no session served it. `limit` is the option, such as
   * `maximumConnections`.
   */
  | { readonly type: 'excess'; readonly time: number; readonly limit: string }
  | ClosedEvent<ServerState>;

/** What happens to a client's session; `type` says what. */
export type ClientSessionEvent = ClientProtocolEvent | ConnectionEvent | ClosedEvent<ClientState>;

/** Those of the events that are of one kind. */
export type EventOfType<Event extends { readonly type: string }, Type> = Event extends unknown
  ? Type extends Event['type']
    ? Event
    : never
  : never;

/** A function for everything, or an object with a function for each kind of event that is wanted. */
export type Observer<Event extends { readonly type: string }, Session> =
  | ((event: Event, session: Session) => void)
  | {
      readonly [Type in Event['type']]?: (event: EventOfType<Event, Type>, session: Session) => void;
    };

/**
 * Told of what happens to a server's sessions: a function of everything; an object with functions, of these kinds only,
 * and no others are made. What it throws goes to `onError`.
 */
export type ServerObserver = Observer<ServerEvent, ServerSessionInformation>;

/** Told of what happens to a client's session; likewise. */
export type ClientObserver = Observer<ClientSessionEvent, ConnectionInformation>;
