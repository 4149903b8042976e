/** What is known of the server before the first case. */

export interface Survey {
  /** Who receives the test messages: as given, or the postmaster of the domain that the server names. */
  readonly recipient: string;
  /** EHLO keywords in the clear, in upper case, with the text of their parameters. */
  readonly offers: ReadonlyMap<string, string>;
  /** Those after STARTTLS; undefined where it is not offered, or failed. */
  readonly offersUnderTls: ReadonlyMap<string, string> | undefined;
  /** What has to come before MAIL. */
  readonly entry: { readonly startTls: boolean; readonly authenticate: boolean };
  /** Why no transaction can be made; undefined: one can. */
  readonly noMail: string | undefined;
}
