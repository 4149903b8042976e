/**
 * Internationalized domains (RFC 5890): the form that DNS knows (A-labels) and the form that people read
 * (U-labels), by the rules of UTS #46 without its transitional ones, so that `faß.example` is not `fass.example`.
 *
 * What is no domain gives a value that says why: addresses come from peers, and their mistakes are no exceptions.
 */
import { isHostName } from '@sansmtp/core';
import processing, { type ProcessingOptions } from 'tr46';

export type DomainConversion =
  | { readonly kind: 'domain'; readonly domain: string }
  /** `problem` is for a person; nothing in it comes from the text. */
  | { readonly kind: 'invalid'; readonly problem: string };

const STRICT: ProcessingOptions = {
  checkBidi: true,
  checkHyphens: true,
  checkJoiners: true,
  transitionalProcessing: false,
  // STD 3 has no underscore. Which other characters of ASCII there may be, `isDomain` says.
  useSTD3ASCIIRules: false,
  verifyDNSLength: true,
};

/** The longest domain as text: 255 octets in DNS, of which two are no characters (RFC 1035 §2.3.4). */
const MAXIMUM_DOMAIN_CHARACTERS = 253;

const NOT_LDH: DomainConversion = {
  kind: 'invalid',
  problem:
    'The domain is malformed: dot-separated labels of letters, digits, underscores and inner hyphens, 63 characters ' +
    `at most a label and ${MAXIMUM_DOMAIN_CHARACTERS} in all`,
};

const NOT_IDNA: DomainConversion = {
  kind: 'invalid',
  problem:
    'The domain is not valid as an internationalized one (RFC 5890, UTS #46): it holds characters that are not ' +
    'allowed or not allowed together, a malformed xn-- label, or more than 63 characters in a label or ' +
    `${MAXIMUM_DOMAIN_CHARACTERS} in all`,
};

/** Whether IDNA has any part in the text. If not, its rules do not bind it: `ab--cd.example` exists in DNS. */
function isPlain(text: string): boolean {
  return /^[!-~]*$/.test(text) && !/(?:^|\.)xn--/i.test(text);
}

function isDomain(text: string): boolean {
  return isHostName(text) && !text.startsWith('[') && text.length <= MAXIMUM_DOMAIN_CHARACTERS;
}

/**
 * The domain in ASCII and lower case: what is asked of DNS, named to a server and compared. Takes U-labels,
 * A-labels and any mixture of the two, with or without the final dot. Address literals are no domains.
 */
export function toAsciiDomain(written: string): DomainConversion {
  const domain = written.endsWith('.') ? written.slice(0, -1) : written;
  if (isPlain(domain)) return isDomain(domain) ? { kind: 'domain', domain: domain.toLowerCase() } : NOT_LDH;
  // Each character is looked up in a table, and a peer chooses how many there are.
  if (domain.length > 4 * MAXIMUM_DOMAIN_CHARACTERS) return NOT_IDNA;
  const ascii = processing.toASCII(domain, STRICT);
  return ascii === null || !isDomain(ascii) ? NOT_IDNA : { kind: 'domain', domain: ascii };
}

/** The domain with U-labels: what is shown to people. Takes what `toAsciiDomain` takes. */
export function toUnicodeDomain(domain: string): DomainConversion {
  const ascii = toAsciiDomain(domain);
  if (ascii.kind === 'invalid' || isPlain(ascii.domain)) return ascii;
  return { kind: 'domain', domain: processing.toUnicode(ascii.domain, STRICT).domain };
}
