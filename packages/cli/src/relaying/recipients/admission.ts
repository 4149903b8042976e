/**
 * Which recipients a relay takes, and from whom. Everything that is not listed here is refused (550 5.7.1):
 *
 * | the recipient's domain is | from anybody | from who may relay |
 * |---|---|---|
 * | none (`<Postmaster>`), or local | the Maildir | the Maildir |
 * | named by a route | the next hop, if it knows the recipient | the next hop, if it knows the recipient |
 * | any other | refused | its mail exchangers, the `*` route or the smart host |
 *
 * - `--route '*=…'` says where mail goes, and not whose is taken: else it would open the relay to everybody.
 * - Domains compare as `comparableDomain` gives them: in lower case, as A-labels, without a final dot, exactly; a subdomain is
 *   another domain.
 * - An address means what RFC 5321 says: local-part, `@`, domain. Nothing within a local-part is interpreted, be it `%`, `!` or
 *   a quoted `@`. But the next hop might, and it trusts this host: such a local-part of a routed domain is refused to
 *   strangers. Source routes are dropped by the parser.
 * - An address literal is no name of this host and no place to connect to: it is refused to everybody, unless an option
 *   names it.
 */
import type { ForwardPath } from '@sansmtp/core';
import { comparableDomain } from '@sansmtp/delivery';
import type { PeerInformation } from '@sansmtp/transport';

export interface AdmissionRules {
  /** As `comparableDomain` gives them. */
  readonly local: ReadonlySet<string>;
  /** Whether a route names it. */
  readonly isRouted: (domain: string) => boolean;
}

export type Admission =
  /** Into the Maildir. */
  | { readonly kind: 'local' }
  /** To the next hop of this domain, which knows its recipients. */
  | { readonly kind: 'routed'; readonly domain: string }
  /** On to wherever the mail of this domain goes. */
  | { readonly kind: 'relayed'; readonly domain: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** What programs of old took for an address within an address: `user%host@…`, `host!user@…`, `"user@host"@…`. */
const ROUTED_LOCAL_PART = /[%!@]/;

/** @param mayRelay whether the client may send to anybody */
export function admit(
  { localPart, domain: given }: ForwardPath,
  { local, isRouted }: AdmissionRules,
  mayRelay: boolean,
): Admission {
  // The postmaster without a domain is ours (RFC 5321 §4.5.1).
  if (given === '') return { kind: 'local' };
  const domain = comparableDomain(given);
  if (domain === undefined) return refused(`${given} is no domain`);
  if (local.has(domain)) return { kind: 'local' };
  if (isRouted(domain)) {
    return mayRelay || !ROUTED_LOCAL_PART.test(localPart)
      ? { kind: 'routed', domain }
      : refused('Addresses within addresses are not relayed');
  }
  if (domain.startsWith('[')) return refused('No mail for address literals is taken here');
  return mayRelay ? { kind: 'relayed', domain } : refused(`No mail for ${domain} is relayed for you`);
}

function refused(reason: string): Admission {
  return { kind: 'refused', reason };
}

/** The client, as far as it matters for who may relay. */
export interface RelayingClient {
  /** After PROXY and XCLIENT. */
  readonly peer: PeerInformation;
  /** Who has authenticated; undefined: nobody. */
  readonly identity?: object | undefined;
}

/**
 * Tells who may send to anybody: who has authenticated, and who connects from a network of `--relay-from`.
 * @param from whether an address is in one of these networks
 * @param mayProxy whether somebody may send PROXY headers. They are never matched themselves: a header without an
 *   address (`PROXY UNKNOWN`, `LOCAL`) leaves theirs, and says nothing about the client.
 */
export function relayPermission(
  from: (peer: PeerInformation) => boolean,
  mayProxy: (peer: PeerInformation) => boolean,
): (client: RelayingClient) => boolean {
  return ({ peer, identity }) => identity !== undefined || (from(peer) && !mayProxy(peer));
}
