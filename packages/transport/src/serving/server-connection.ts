/** What a server's driver is given, and what it gives: its options, and the connection that it serves. */
import type {
  Reply,
  ServerSessionOptions,
  ServerState,
  TlsInformation,
  TransitionRecord,
} from '@sansmtp/core';
import type { FailureLimiter } from '../authentication/failure-limiter.js';
import type { Cryptography } from '../cryptography.js';
import { withoutTls } from '../given-options.js';
import type { ServerSessionInformation } from '../handlers/handlers.js';
import type { ServerObserver } from '../observing/observer.js';
import type { Clock } from '../time/clock.js';

/** The TLS that there is from the start is the stream's to know. */
export interface ServeOptions extends Omit<ServerSessionOptions, 'maximumHeldOctets' | 'observe' | 'tls'> {
  readonly clock: Clock;
  /**
   * The session's name, for logs and traces.
   * @default one that is unique among all processes
   */
  readonly id?: string;
  /** The label of the listener that accepted the connection, for `session.listener`. */
  readonly listener?: string;
  /**
   * Somebody before this server has ended the TLS that protects the client: a proxy or a load balancer. The session is as
   * protected from the start: AUTH is offered, STARTTLS is not. Say so only where nobody can connect past that one. Give
   * what is known of that TLS; without channel bindings, no -PLUS mechanism is offered. TLS of the stream itself counts
   * first.
   * @default false
   */
  readonly secured?: boolean | Partial<TlsInformation>;
  /**
   * Told of what happens: a function of everything, an object with functions of these kinds of events. What it throws goes
   * to `onError`.
   * @default nobody; subscribers of the channels `sansmtp:server:…` of `node:diagnostics_channel` are told all the same
   */
  readonly observer?: ServerObserver;
  /**
   * Computes the digests of SCRAM and CRAM-MD5.
   * @default webCryptography()
   */
  readonly cryptography?: Cryptography;
  /**
   * Limits failed authentications, of all sessions that are given the same one; the trusted, loopback and Unix sockets are
   * exempt.
   * @default one for each `handlers` object, for `startMailServer` one for the server, with the defaults of `failureLimiter()`
   */
  readonly failureLimiter?: FailureLimiter;
  /** Called with each step of the session's chart. What it throws goes to `onError`. */
  readonly onTransition?: (record: TransitionRecord) => void;
}

/** A session that is being served. */
export interface ServerConnection {
  readonly information: ServerSessionInformation;
  /** Where the session stands: a leaf state of the chart. */
  readonly state: ServerState;
  /** Milliseconds since the session began. */
  readonly age: number;
  /** Octets that came in; under TLS, what it protects. */
  readonly octetsReceived: number;
  /** Octets that were handed to the transport. */
  readonly octetsSent: number;
  /** Resolves when the connection is closed, whatever the reason. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Ends the session by 421 4.3.2 as soon as no message is under way, between two chunks of which one is as well; a
   * second call with `abandoning` also gives up one that arrives. Await `closed` next, and call `abort()` when that
   * takes too long: the client may not close, or a handler not decide.
   * @param options.reply what the client is told instead, 421 or 5yz
   */
  shutdown(options?: { readonly abandoning?: boolean; readonly reply?: Reply }): void;
  /** Drops the connection at once. */
  abort(reason?: Error): void;
}

/** What of the options is for the session, and not for the driver. */
export function sessionPart(options: Omit<ServeOptions, 'clock'>): ServerSessionOptions {
  const {
    clock: _clock,
    cryptography: _cryptography,
    failureLimiter: _limiter,
    id: _id,
    listener: _listener,
    observer: _observer,
    onTransition: _onTransition,
    secured: _secured,
    ...session
  } = options as ServeOptions;
  return withoutTls(session);
}
