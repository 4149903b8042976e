/**
 * What the server chart is given at its start, and what it remembers. Types alone, and none of XState's: the options of a
 * session are made of them.
 */

/** Deadlines in milliseconds. */
export interface ServerTimeouts {
  /** For the client's next command (RFC 5321 §4.5.3.2.7). */
  readonly idle: number;
  /** For the client's next piece of mail data. */
  readonly mailData: number;
  /** For the application's answer, and the host's. */
  readonly decision: number;
  /** For the TLS handshake. */
  readonly handshake: number;
  /** For the client to close after we did. */
  readonly linger: number;
  /** For the whole session. It acts only where no mail transaction is open. */
  readonly session: number;
}

export interface ServerChartInput {
  readonly timeouts: ServerTimeouts;
  /** LMTP is spoken. */
  readonly lmtp: boolean;
  /** Mail is taken before EHLO, too. */
  readonly lenient: boolean;
  /** Recipients of one mail transaction. */
  readonly maximumRecipients: number;
  /** Consecutive errors. */
  readonly maximumErrors: number;
  /** Refused AUTH exchanges. */
  readonly maximumAuthenticationFailures: number;
  /** TLS protects the connection. */
  readonly secured: boolean;
  /** Nothing is served before STARTTLS. */
  readonly tlsRequired: boolean;
  /** No mail is taken before AUTH. */
  readonly authenticationRequired: boolean;
}

export interface ServerContext extends ServerChartInput {
  /** EHLO or HELO was accepted. */
  readonly introduced: boolean;
  /** MAIL was accepted, and its mail transaction is not over. */
  readonly open: boolean;
  /** RCPTs accepted in this mail transaction. */
  readonly recipients: number;
  /** The MAIL before this command was refused, or a RCPT in this mail transaction, or the message amid its chunks. */
  readonly refused: boolean;
  /** Errors since the last command that was accepted. */
  readonly errors: number;
  /** The message of this mail transaction comes by BDAT. */
  readonly chunking: boolean;
  /** AUTH has succeeded. */
  readonly authenticated: boolean;
  /** AUTH exchanges refused in this session. */
  readonly authenticationFailures: number;
}
