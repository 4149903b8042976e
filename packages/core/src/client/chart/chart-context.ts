/**
 * What the client chart is given at its start, and what it remembers. Types alone, and none of XState's: the options of a
 * session are made of them.
 */

/** Deadlines in milliseconds. */
export interface ClientTimeouts {
  /** For the greeting (RFC 5321 §4.5.3.2.1). */
  readonly greeting: number;
  /** For the reply to EHLO, and again for that to HELO. RFC 5321 names none: that of MAIL. */
  readonly hello: number;
  /** For the reply to STARTTLS. RFC 3207 names none: that of MAIL. */
  readonly startTls: number;
  /** For the TLS handshake. */
  readonly handshake: number;
  /** For each reply of a SASL exchange. RFC 4954 names none: that of MAIL. */
  readonly authentication: number;
  /** For each computation that a SASL mechanism asks of the host. */
  readonly computation: number;
  /** For the reply to XCLIENT, and again for that to XFORWARD. */
  readonly proxying: number;
  /** For the reply to an inquiry. RFC 5321 names none: that of MAIL. */
  readonly inquiry: number;
  /** For the reply to MAIL (RFC 5321 §4.5.3.2.2). */
  readonly mail: number;
  /** For the reply to each RCPT (RFC 5321 §4.5.3.2.3). */
  readonly rcpt: number;
  /** For the 354 to DATA (RFC 5321 §4.5.3.2.4). */
  readonly dataInitiation: number;
  /** For each piece of the message to be handed in, once the one before was sent (RFC 5321 §4.5.3.2.5). */
  readonly dataBlock: number;
  /** For the reply to a chunk that must come before anything else is sent. RFC 3030 names none: as `dataBlock`. */
  readonly chunk: number;
  /**
   * For the reply to the final dot or the last chunk, and for each further one with LMTP (RFC 5321 §4.5.3.2.6). A
   * client that waits for less sends the message again while the server delivers it: RFC 1047 is about nothing else.
   */
  readonly dataTermination: number;
  /** For the reply to RSET. RFC 5321 names none: that of MAIL. */
  readonly reset: number;
  /** For the 221 to QUIT. RFC 5321 names none, and no message depends on it. */
  readonly quit: number;
  /** For the server to close after we did. */
  readonly linger: number;
}

export interface ClientChartInput {
  readonly timeouts: ClientTimeouts;
  readonly protocol: 'smtp' | 'lmtp';
  readonly startTls: 'never' | 'opportunistic' | 'required';
}

/** All from `opened` on is about the last mail transaction. */
export interface ClientContext extends ClientChartInput {
  /** STARTTLS was sent. */
  readonly upgraded: boolean;
  readonly authenticated: boolean;
  /** XCLIENT was accepted. */
  readonly substituted: boolean;
  /** MAIL was accepted. */
  readonly opened: boolean;
  /** Recipients whose RCPT has no reply. */
  readonly unanswered: number;
  /** RCPTs accepted; with LMTP, those of them whose reply to the message has not come. */
  readonly accepted: number;
  /** How many chunks may be in flight at once; 0: the message goes by DATA. */
  readonly chunks: number;
  /** Chunks without a reply. */
  readonly inFlight: number;
}
