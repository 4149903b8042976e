/**
 * The parameters of MAIL and RCPT in typed form. A service extension of ours that defines one adds it here; one
 * that an embedder adds puts its values into `custom`.
 */
import type { Mailbox } from '../../wire/commands/path.js';

/** Typed values of the MAIL parameters that the offered service extensions define. */
export interface MailParameters {
  /** The declared size of the message in octets (SIZE, RFC 1870 §6). */
  readonly size?: number;
  /** The declared encoding of the mail data (8BITMIME, RFC 6152 §3; BINARYMIME, RFC 3030 §3). */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Addresses or headers may hold UTF-8 (SMTPUTF8, RFC 6531 §3.4). */
  readonly smtpUtf8?: true;
  /** Who submitted the message first; null: not known, or not to be believed (AUTH, RFC 4954 §5). */
  readonly auth?: Mailbox | null;
  /** What of the message a failure notification should hold (DSN, RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** The sender's identifier of this envelope, decoded (DSN, RFC 3461 §4.4). */
  readonly envid?: string;
  /** When to deliver at the latest, and what to do if that fails (DELIVERBY, RFC 2852 §4). */
  readonly deliverBy?: {
    /** Seconds from now; negative if it is too late already, which only `notify` allows. */
    readonly seconds: number;
    readonly mode: 'return' | 'notify';
    /** Report each relay on the way. */
    readonly trace: boolean;
  };
  /** Hold the message until then: seconds from now, or a date-time of RFC 3339 (FUTURERELEASE, RFC 4865 §3). */
  readonly hold?: { readonly seconds: number } | { readonly until: string };
  /** From -9 to 9; 0 is the usual (MT-PRIORITY, RFC 6710 §3). */
  readonly mtPriority?: number;
  /** TLS with a verified certificate on every further hop, or no delivery (REQUIRETLS, RFC 8689 §2). */
  readonly requireTls?: true;
  /** Solicitation class keywords (NO-SOLICITING, RFC 3865 §2.3). */
  readonly solicit?: readonly string[];
  /** Of extensions that are not ours: keyword in upper case → what its rule made of the value. */
  readonly custom?: Readonly<Record<string, unknown>>;
}

/** Typed values of the RCPT parameters that the offered service extensions define. */
export interface RcptParameters {
  /** When the sender wants to hear of this recipient (DSN, RFC 3461 §4.1). */
  readonly notify?: 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** The recipient as the sender first wrote it (DSN, RFC 3461 §4.2). */
  readonly orcpt?: { readonly addressType: string; readonly address: string };
  /** Deliver only if the mailbox has had the same owner since then (RRVS, RFC 7293 §3). */
  readonly rrvs?: {
    /** A date-time of RFC 3339. */
    readonly since: string;
    /** What a relay does whose next hop does not know RRVS: go on without it, or reject. */
    readonly otherwise?: 'continue' | 'reject';
  };
  /** Of extensions that are not ours: keyword in upper case → what its rule made of the value. */
  readonly custom?: Readonly<Record<string, unknown>>;
}
