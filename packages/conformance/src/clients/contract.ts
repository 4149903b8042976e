/** What a client is asked to do, and what it says has become of it. */

/**
 * How a client is to be set up. A client that knows some of them only is judged by the cases of those.
 *
 * - `plain`: SMTP; it may use STARTTLS where it is offered, and need not.
 * - `startTls`: SMTP, and never without TLS, which begins by STARTTLS; the certificate is verified against `ca`.
 * - `implicitTls`: SMTP under TLS from the first octet on.
 * - `login`: like `startTls`, and it authenticates with `user` and `password`.
 * - `lmtp`: LMTP, without TLS.
 */
export type Setup = 'plain' | 'startTls' | 'implicitTls' | 'login' | 'lmtp';

/** One message to deliver. */
export interface Task {
  readonly setup: Setup;
  /** Always a loopback address. */
  readonly host: string;
  readonly port: number;
  /** The reverse-path, without angle brackets; empty for the null one. */
  readonly from: string;
  /** The forward-paths, without angle brackets. */
  readonly to: readonly string[];
  /** Header and body, lines ended by CRLF, without a final dot and without transparency. */
  readonly message: Uint8Array;
  /** The server's certificate in PEM, for the client to trust. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  /** Aborts when the case gives up: whatever still stands is to be ended. */
  readonly signal: AbortSignal;
}

/**
 * What the client says of one recipient, or of all of them.
 *
 * - `delivered`: the server took the message.
 * - `rejected`: it never will (5yz). `deferred`: it may later (4yz, no connection).
 * - `unknown`: the connection was lost after the final dot: it may have taken it, or not (RFC 1047).
 * - `failed`: not delivered, and the client does not say whether for good.
 */
export type ClientVerdict = 'delivered' | 'rejected' | 'deferred' | 'unknown' | 'failed';

/** What `run` may resolve with. Nodemailer's result is understood as it is. */
export type RunResult =
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that resolves with nothing has delivered
  | void
  | ClientVerdict
  /** One for each recipient, in order. */
  | readonly ClientVerdict[]
  | { readonly accepted: readonly unknown[] };

export interface SmtpClient {
  /**
   * Delivers a message to a server. To resolve with nothing says that all recipients got it; to reject, that it failed: with
   * an error that has a `responseCode`, the first digit tells `rejected` from `deferred`.
   */
  run(task: Task): Promise<RunResult>;
  /** What it can be set up for. @default ['plain'] */
  readonly setups?: readonly Setup[];
  /**
   * Milliseconds of silence after which the client gives up on a reply. Cases about time-outs are judged where it is 5000 at
   * most: those that RFC 5321 §4.5.3.2 recommends take minutes. @default 300_000
   */
  readonly replyTimeout?: number;
}

/** The client's word, in one form. */
export interface ClientReport {
  /** For each recipient, in order. */
  readonly verdicts: readonly ClientVerdict[];
  /** False: the client has one word for all recipients. */
  readonly each: boolean;
  /** It did not come to an end within the time. */
  readonly unfinished: boolean;
  /** What it printed, or the text of its error. */
  readonly output: string;
}
