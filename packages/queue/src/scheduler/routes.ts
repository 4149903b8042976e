/** Where the mail for a domain goes, as the operator says; and what that is called where deliveries are counted. */
import type { Mailer } from '@sansmtp/delivery';

/** Delivers a message: a `Mailer`, or what does as one does, such as a Maildir. */
export type Deliverer = Pick<Mailer, 'send'>;

/** A host, or a place here, that takes the mail for some domains. */
export interface NextHop {
  /** Deliveries are counted by it, and it is what may be down. For people as well: `[192.0.2.1]:25`, say. */
  readonly name: string;
  readonly mailer: Deliverer;
  /** Whether a message that it took has reached the mailbox, as with a Maildir or LMTP. @default false */
  readonly isFinal?: boolean;
}

/**
 * Next hops by the domain, spelt as `comparableDomain` of `@sansmtp/delivery` spells it; `*` for every other domain, `''` for
 * `<Postmaster>`. Without `*`, a domain goes to its own mail exchangers.
 */
export type Routes = ReadonlyMap<string, NextHop>;

export const EVERY_OTHER_DOMAIN = '*';

export function nextHopOf(domain: string, routes: Routes, mailer: Deliverer): NextHop {
  return routes.get(domain) ?? routes.get(EVERY_OTHER_DOMAIN) ?? { name: domain, mailer };
}

/** What may be claimed: all but some domains, or these alone. */
export type Claimable = { readonly except: ReadonlySet<string> } | { readonly only: readonly string[] };

/** @param full the names of the destinations that get nothing now */
export function claimable(full: Iterable<string>, routes: Routes): Claimable {
  const isFull = new Set(full);
  const others = routes.get(EVERY_OTHER_DOMAIN);
  const domains = [...routes].filter(([domain]) => domain !== EVERY_OTHER_DOMAIN);
  const isWanted = ([, hop]: (typeof domains)[number]): boolean => !isFull.has(hop.name);
  if (others !== undefined && isFull.has(others.name)) {
    return { only: domains.filter(isWanted).map(([domain]) => domain) };
  }
  const except = new Set(domains.filter((each) => !isWanted(each)).map(([domain]) => domain));
  // Without a route a destination is its domain.
  if (others === undefined) for (const name of isFull) if (!routes.has(name)) except.add(name);
  return { except };
}
