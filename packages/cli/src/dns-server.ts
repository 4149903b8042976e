/** The DNS server that an option names. It stands apart because what asks DNS is loaded with it. */
import { isIPv6 } from 'node:net';
import { createResolver } from '@sansmtp/delivery';
import { InvalidArgumentError } from 'commander';
import { port } from './option-values.js';

/** A DNS server: an address, and possibly a port behind a colon; an IPv6 address is in brackets then. */
export function dnsServer(text: string): string {
  const colon = text.indexOf(':', text.lastIndexOf(']') + 1);
  const portText = isIPv6(text) || colon < 0 ? undefined : text.slice(colon + 1);
  if (portText !== undefined) port(portText);
  try {
    createResolver({ server: text });
    return text;
  } catch {
    throw new InvalidArgumentError('Give an IP address, and possibly a port behind a colon.');
  }
}
