/**
 * The parameters of MAIL and RCPT in typed form. A service extension that defines one adds it here.
 */

/** Typed values of the MAIL parameters that the offered service extensions define. */
export interface MailParameters {
  /** The declared size of the message in octets (SIZE, RFC 1870 §6). */
  readonly size?: number;
  /** The declared encoding of the mail data (8BITMIME, RFC 6152 §3). */
  readonly body?: '7BIT' | '8BITMIME';
}

/** Typed values of the RCPT parameters that the offered service extensions define. */
export type RcptParameters = Readonly<Record<string, never>>;
