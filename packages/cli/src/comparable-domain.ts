/** Domains of addresses, as they are compared: they have no case, and may be written in Unicode (RFC 5890 §2.3.2.1). */
import { isHostName } from '@sansmtp/core';
import { toAsciiDomain } from '@sansmtp/delivery';

/** The one spelling of all that mean the same; undefined for what is no domain or address literal. */
export function comparableDomain(text: string): string | undefined {
  if (text.startsWith('[')) return isHostName(text) ? text.toLowerCase() : undefined;
  const converted = toAsciiDomain(text);
  return converted.kind === 'domain' ? converted.domain : undefined;
}
