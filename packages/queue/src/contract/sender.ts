/** Whose turn it is: within a domain, claims give each sender one after the other. */
import { comparableDomain } from '@sansmtp/delivery';
import type { NewMessage } from './messages.js';

/** The sender of a message: as it was given, or else its reverse-path; '' for the null one (RFC 5321 §4.5.5). */
export function senderOf({ sender, envelope: { reversePath } }: NewMessage): string {
  if (sender !== undefined) return sender;
  if (reversePath === null) return '';
  const { localPart, domain } = reversePath;
  return `${localPart}@${comparableDomain(domain) ?? domain.toLowerCase()}`;
}
