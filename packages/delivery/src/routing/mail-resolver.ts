/**
 * What mail delivery asks of DNS, and the answers told apart as far as mail depends on it.
 *
 * The one distinction that may never be lost: `none` and `noSuchDomain` are things that DNS says, `temporary` means
 * that it said nothing. Taking the latter for the former would bounce mail, or send it to a host that is no mail
 * exchanger (RFC 5321 §5.1), or past a policy (RFC 8461, RFC 7672).
 */

export type DnsAnswer<DnsRecord> =
  | {
      readonly kind: 'found';
      /** One at least. */
      readonly records: readonly DnsRecord[];
      /** DNSSEC proves the answer, CNAME records on the way included. @default false */
      readonly secure?: boolean;
    }
  /** The domain exists; it has no such records. */
  | { readonly kind: 'none'; readonly secure?: boolean }
  /** NXDOMAIN. */
  | { readonly kind: 'noSuchDomain'; readonly secure?: boolean }
  /** No answer, or none that says anything: time-outs, SERVFAIL, REFUSED, answers that are malformed or bogus. */
  | { readonly kind: 'temporary'; readonly problem: string };

export interface MailExchanger {
  /** A host name; empty or "." in a null MX (RFC 7505). */
  readonly exchange: string;
  /** 0 to 65535; lower is better. */
  readonly preference: number;
}

/**
 * Looks up names in their ASCII form, without a dot at the end. CNAME records are followed by the resolver.
 *
 * Every look-up ends in bounded time. It rejects with the signal's reason once that is aborted, and for nothing
 * else.
 */
export interface MailResolver {
  /** Null MX records among them, in any order. */
  resolveMx(domain: string, signal?: AbortSignal): Promise<DnsAnswer<MailExchanger>>;
  /**
   * IPv4 and IPv6 addresses, those of each family in the order of DNS. `temporary` only if nothing was found: with
   * one family known, mail can go.
   */
  resolveAddresses(host: string, signal?: AbortSignal): Promise<DnsAnswer<string>>;
  /** TXT records, the strings of each joined. */
  resolveTxt(name: string, signal?: AbortSignal): Promise<DnsAnswer<string>>;
}
