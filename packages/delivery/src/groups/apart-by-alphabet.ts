import type { ClientRecipient } from '@sansmtp/core';
import { isAscii } from '../text/ascii.js';
import type { RecipientGroup } from './recipient-groups.js';

/**
 * Sets recipients whose addresses need SMTPUTF8 (RFC 6531 §3.3) apart from those whose do not: a mail transaction with
 * both would be refused to all of them by a server that does not offer it.
 */
export function apartByAlphabet(
  group: RecipientGroup,
  recipients: readonly ClientRecipient[],
): RecipientGroup[] {
  const needsUtf8 = (place: number): boolean => {
    const { localPart = '', domain = '' } = recipients[place] ?? {};
    return !isAscii(localPart) || !isAscii(domain);
  };
  const international = group.recipients.filter(needsUtf8);
  if (international.length === 0 || international.length === group.recipients.length) return [group];
  return [
    { ...group, recipients: group.recipients.filter((place) => !needsUtf8(place)) },
    { ...group, recipients: international },
  ];
}
