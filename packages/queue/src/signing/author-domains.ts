/** The domains of the authors in a From field (RFC 5322 §3.6.2). */
import { comparableDomain } from '@sansmtp/delivery';

/** The value without comments, and without what stands in quotes. Undefined: one of them has no end. */
function bare(value: string): string | undefined {
  let text = '';
  let depth = 0;
  let isQuoted = false;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (character === '\\' && (isQuoted || depth > 0)) i += 1;
    else if (isQuoted) isQuoted = character !== '"';
    else if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (depth > 0) continue;
    else if (character === '"') {
      isQuoted = true;
      text += 'q';
    } else text += character;
  }
  return isQuoted || depth > 0 ? undefined : text;
}

/**
 * One for each address, as `comparableDomain` gives it; undefined where the field cannot be read for sure.
 * @param value each octet a character
 */
export function authorDomains(value: string): string[] | undefined {
  const text = bare(Buffer.from(value, 'latin1').toString());
  if (text === undefined || /[:;]/.test(text)) return undefined;
  const domains: string[] = [];
  for (const mailbox of text.split(',')) {
    const [, inAngles] = /^[^<>]*<([^<>]*)>\s*$/.exec(mailbox) ?? [];
    const address = inAngles ?? mailbox;
    const parts = address.split('@');
    if (parts.length !== 2 || /[<>]/.test(address)) return undefined;
    const domain = comparableDomain((parts[1] as string).trim());
    if (domain === undefined) return undefined;
    domains.push(domain);
  }
  return domains;
}
