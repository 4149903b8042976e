/**
 * Whether two addresses are the same. Domains have no case, may be written in Unicode, and may end in a dot (RFC 5321
 * §2.4, RFC 5890 §2.3.2.1, RFC 1034 §3.1): comparing them as texts misses some.
 */
import { isHostName, kindOf, type Mailbox } from '@sansmtp/core';
import { toAsciiDomain } from './internationalized-domain.js';

/**
 * The one spelling of all that mean the same domain or address literal, in ASCII and lower case; undefined for what is
 * neither.
 * @throws {TypeError} it is no text
 */
export function comparableDomain(text: string): string | undefined {
  if (typeof text !== 'string') {
    throw new TypeError(`comparableDomain() takes the text of a domain, and was given ${kindOf(text)}`);
  }
  if (text.startsWith('[')) return isHostName(text) ? text.toLowerCase() : undefined;
  const converted = toAsciiDomain(text);
  return converted.kind === 'domain' ? converted.domain : undefined;
}

/**
 * Whether both are the same mailbox for all that a host can know of another's: domains are compared by
 * `comparableDomain`, local-parts octet by octet, for only their own host may do otherwise (RFC 5321 §2.4). The
 * postmaster has no case (RFC 5321 §4.5.1). What is no domain is like nothing but itself.
 * @throws {TypeError} one of them is no mailbox, such as its text
 */
export function sameMailbox(one: Mailbox, other: Mailbox): boolean {
  for (const mailbox of [one, other]) {
    if (typeof mailbox?.localPart === 'string' && typeof mailbox.domain === 'string') continue;
    throw new TypeError(
      'sameMailbox() takes two of { localPart, domain }, which parseMailbox() reads from a text',
    );
  }
  return (
    comparableLocalPart(one) === comparableLocalPart(other) &&
    (comparableDomain(one.domain) ?? one.domain) === (comparableDomain(other.domain) ?? other.domain)
  );
}

function comparableLocalPart({ localPart }: Mailbox): string {
  return /^postmaster$/i.test(localPart) ? 'postmaster' : localPart;
}
