/**
 * Which recipients of an envelope may be sent to a server that says its limits (LIMITS, RFC 9422 §4).
 */
import type { Limits } from '../../extensions/session/limits.js';
import type { ForwardPath } from '../../wire/commands/path.js';
import type { RecipientLimit } from './outcomes.js';

/**
 * The recipients that may not be sent, by their places in the list.
 *
 * @param domains of the recipients that were sent in this session, in lower case; those of the recipients that may
 *   be are added
 */
export function withheldRecipients(
  recipients: readonly ForwardPath[],
  { recipientMaximum = Number.POSITIVE_INFINITY, recipientDomainMaximum = Number.POSITIVE_INFINITY }: Limits,
  domains: Set<string>,
): ReadonlyMap<number, RecipientLimit> {
  const withheld = new Map<number, RecipientLimit>();
  recipients.forEach(({ domain }, index) => {
    const known = domain.toLowerCase();
    if (index - withheld.size >= recipientMaximum) {
      withheld.set(index, { kind: 'limit', phase: 'rcpt', keyword: 'RCPTMAX', limit: recipientMaximum });
    } else if (!domains.has(known) && domains.size >= recipientDomainMaximum) {
      const limit = recipientDomainMaximum;
      withheld.set(index, { kind: 'limit', phase: 'rcpt', keyword: 'RCPTDOMAINMAX', limit });
    } else if (recipientDomainMaximum !== Number.POSITIVE_INFINITY) {
      domains.add(known);
    }
  });
  return withheld;
}
