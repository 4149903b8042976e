/** Addresses as smtp-server shows them: text with the domain in Unicode, and the parameters of the command beside it. */
import { isIPv6 } from 'node:net';
import { domainToUnicode } from 'node:url';
import { formatMailbox, type Mailbox, type ReversePath } from '@sansmtp/core';

/** A control character, or one that is not seen: neither is ever meant, and both mislead whoever reads the address. */
const UNSAFE = /[\p{Cc}\u200b\u2060\ufeff]/u;

export function isUnsafe(address: string): boolean {
  return UNSAFE.test(address);
}

/** xtext (RFC 3461 §4). */
export function decodeXtext(value: string): string {
  return value.replace(/\+([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** The shortest form of an IPv6 address (RFC 5952); one that ends like an IPv4 address stays so. */
function canonicalIPv6(address: string): string {
  if (address.includes('.')) return address.toLowerCase();
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The domain of a mailbox as it is shown; undefined for an address literal that holds no address. */
export function shownDomain(domain: string): string | undefined {
  const literal = /^\[(.*)\]$/.exec(domain)?.[1];
  if (literal === undefined) return domainToUnicode(domain) || domain.toLowerCase();
  const address = /^ipv6:(.*)$/i.exec(literal)?.[1];
  if (address === undefined) return domain;
  return isIPv6(address) ? `[IPv6:${canonicalIPv6(address)}]` : undefined;
}

/** The path as text; empty for the null reverse-path. */
export function addressOf(path: ReversePath): string {
  if (path === null) return '';
  const { localPart, domain } = path;
  if (domain === '') return localPart;
  return `${localPartText(path)}@${shownDomain(domain) ?? domain}`;
}

/** As it stands in a command, quoted where it has to be. */
function localPartText(mailbox: Mailbox): string {
  return hasStrayDots(mailbox)
    ? mailbox.localPart
    : formatMailbox(mailbox).slice(0, -mailbox.domain.length - 1);
}

/**
 * Whether the local part has dots where RFC 5321 §4.1.2 has none, as some devices write it: taken with
 * `lenientAddressParsing` only.
 */
export function hasStrayDots({ localPart }: Mailbox): boolean {
  return /^\.|\.$|\.\./.test(localPart) && !/[\s"\\<>@]/.test(localPart);
}
